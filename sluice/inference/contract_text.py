"""The text of an inferred contract: complete, valid, and commented for the person who reviews it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from sluice.contract import FIRST_DATE, FileFormat
from sluice.datatypes import (
    Boolean,
    DataType,
    Date,
    Decimal,
    Double,
    Field,
    Integer,
    Json,
    ListOf,
    Struct,
    Text,
    Timestamp,
)
from sluice.inference.column_names import is_personal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sluice.contract import Source

_PLAIN = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_NOT_PLAIN = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
_LOGICAL: dict[type, str] = {
    Text: "string",
    Integer: "integer",
    Double: "number",
    Boolean: "boolean",
    Date: "date",
    Timestamp: "timestamp",
}
_NAMES = {"\t": "tab"}


@dataclass(frozen=True, slots=True)
class InferredColumn:
    """One column; `remarks` become comments above it, `suggestions` lines that only wait to be uncommented."""

    name: str
    type: DataType
    remarks: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    required: bool = False
    is_key: bool = False
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """All that the text says."""

    dataset: str
    origin: str
    source: Source
    columns: tuple[InferredColumn, ...]
    order_by: str | None


def contract_text(draft: Draft) -> str:
    return "\n".join([*_head(draft), "", *_server(draft.source), "", *_schema(draft), "", *_settings(draft)]) + "\n"


def quoted(text: str) -> str:
    """Return `text` as a YAML scalar, without quotes where none are needed."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_PLAIN:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _head(draft: Draft) -> list[str]:
    return [
        f"# Inferred from {draft.origin}.",
        "# Comments say what was seen and what was guessed: correct what you know better, then delete them.",
        "apiVersion: v3.2.0",
        "kind: DataContract",
        f"id: {draft.dataset} # the dataset: folder, table and asset are called the same",
        f"name: {draft.dataset}",
        "version: 1.0.0 # the contract's own version; raise it when you change the file",
        "status: active",
        "# domain: the part of the business it belongs to",
        "# description: { purpose: what one record is }",
        "# team: { name: who-owns-it, members: [{ username: somebody@example.com, role: owner }] }",
    ]


def _server(source: Source) -> list[str]:
    lines = [
        "servers:",
        "  - server: landing",
        "    type: local",
        f"    path: {json.dumps(source.pattern)} # below the raw zone; {{date}} is the partition",
        f"    format: {source.format}",
    ]
    if source.format is FileFormat.CSV and source.csv.delimiter != ",":
        lines.append(f"    delimiter: {json.dumps(_NAMES.get(source.csv.delimiter, source.csv.delimiter))}")
    if source.format is FileFormat.CSV and source.csv.encoding != "utf-8":
        lines.append(f"    encoding: {source.csv.encoding} # told by its bytes, confirm it")
    return lines


def _schema(draft: Draft) -> Iterator[str]:
    yield "schema:"
    yield f"  - name: {draft.dataset}"
    yield "    logicalType: object"
    yield "    physicalType: table"
    yield "    properties:"
    keys = [column.name for column in draft.columns if column.is_key]
    for column in draft.columns:
        position = keys.index(column.name) + 1 if column.is_key and len(keys) > 1 else None
        yield from _column(column, position)


def column_lines(column: InferredColumn) -> list[str]:
    """Return one property of a contract, not indented."""
    return [line.removeprefix(" " * 6) for line in _column(column, None)]


def _column(column: InferredColumn, position: int | None) -> Iterator[str]:
    indent = " " * 6
    for remark in column.remarks:
        yield f"{indent}# {remark}"
    yield f"{indent}- name: {quoted(column.name)}"
    indent += "  "
    logical, *more = _type_lines(column.type)
    yield indent + logical
    if column.required:
        yield f"{indent}required: true"
    if column.is_key:
        yield f"{indent}primaryKey: true # unique in the sample; a wrong key drops records, so confirm it"
    if position is not None:
        yield f"{indent}primaryKeyPosition: {position}"
    if column.personal:
        yield f"{indent}classification: personal # by its name or its values; confirm it"
    yield from (indent + line for line in more)
    yield from (f"{indent}# {line}" for line in column.suggestions)


def _type_lines(datatype: DataType) -> list[str]:
    match datatype:
        case Decimal(precision, scale):
            return ["logicalType: number", f"physicalType: decimal({precision},{scale})"]
        case Timestamp(zone) if zone is not None:
            return ["logicalType: timestamp", f"logicalTypeOptions: {{ timezone: false, defaultTimezone: {zone} }}"]
        case Json():
            return ["logicalType: object", "physicalType: json"]
        case Struct(members):
            return ["logicalType: object", "properties:", *(f"  {line}" for line in _members(members))]
        case ListOf(element):
            return ["logicalType: array", "items:", *(f"  {line}" for line in _type_lines(element))]
        case Text() | Integer() | Double() | Boolean() | Date() | Timestamp():
            return [f"logicalType: {_LOGICAL[type(datatype)]}"]
        case _:
            assert_never(datatype)


def _members(members: Sequence[Field]) -> Iterator[str]:
    for member in members:
        logical, *more = _type_lines(member.type)
        yield f"- name: {quoted(member.name)}"
        yield f"  {logical}"
        if isinstance(member.type, Text) and is_personal(member.name):
            yield "  classification: personal # by its name; confirm it"
        yield from (f"  {line}" for line in more)


def _settings(draft: Draft) -> Iterator[str]:
    yield "customProperties:"
    yield "  - property: sluice"
    yield "    value:"
    yield f"      start: {FIRST_DATE} # the first partition; a later date spares the lists empty ones"
    if draft.order_by is not None:
        yield f"      order_by: {quoted(draft.order_by)} # among records with one key the latest wins"
    csv = draft.source.csv
    if draft.source.format is FileFormat.CSV and (csv.quote != '"' or not csv.header):
        quote = "null" if csv.quote is None else json.dumps(csv.quote)
        yield f"      csv: {{ quote: {quote}, header: {str(csv.header).lower()} }}"
    yield "      # unknown_fields: reject # refuses records with fields not declared here; they are ignored by default"
