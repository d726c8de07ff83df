"""What the transform asks of each column: its typed value, whether it is good, and every reason why it is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal as Number
from typing import TYPE_CHECKING

from sluice.datatypes import Boolean, DataType, Date, Decimal, Double, Integer, Json, ListOf, Struct, Text, Timestamp
from sluice.sql_types import duckdb_type, quote_identifier, quote_literal
from sluice.transform.scalar_sql import scalar_sql
from sluice.transform.shim_sql import cast_sql, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluice.contract import Column, Rules
    from sluice.datatypes import Field

_PLAIN_JSON = ("BOOLEAN", "BIGINT", "UBIGINT", "HUGEINT", "DOUBLE")
LINE = "_sluice_line"
WHOLE = "_sluice_whole"
"""The line if it is a JSON object, else NULL: JSON functions raise on text that is not JSON."""
RAW = "_sluice_raw"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a record can be wrong.

    `code`, `condition` (never NULL) and `value` (the offending text) are expressions. `doubt` is a cheaper condition
    that holds wherever `condition` does (else it may be NULL); only it is asked of every record.
    """

    code: str
    column: str
    condition: str
    value: str
    doubt: str


@dataclass(frozen=True, slots=True)
class ColumnSql:
    """`value` reads the raw text `_sluice_raw."name"`; `faults` read that and the typed column `"name"`."""

    name: str
    value: str
    faults: tuple[Fault, ...]


def column_sql(column: Column, *, is_json: bool) -> ColumnSql:
    """Return the expressions of one top-level column; `is_json` says that records are JSON objects."""
    typed = quote_identifier(column.name)
    text = _shimmed(column, f"{RAW}.{typed}")
    place = _Place(column.name, tuple(f"$.{_path_part(name)}" for name in fields_of(column)), is_json=is_json)
    faults = [
        *([_plain_fault("required", column.name, f"{text} IS NULL", "NULL")] if column.required else []),
        *(_type_faults(column.type, text, typed, place) if not _takes_anything(column) else []),
        *_rule_faults(column, typed, f"CAST({typed} AS VARCHAR)"),
    ]
    return ColumnSql(column.name, _value(column.type, text), tuple(faults))


def json_shape(fields: Iterable[tuple[str, DataType]]) -> str:
    """Return the shape for `json_transform` that gives every scalar as its exact text.

    The last member is never present. Its type makes DuckDB keep numbers as they are written; without a decimal in the
    shape it turns 123456789012345678.12 into 1.2345678901234568e+17 (seen in 2.0.0, held by a test).
    """
    members = {name: _shape(datatype) for name, datatype in fields}
    return json.dumps(members | {"_sluice_exact_numbers": "DECIMAL(38,2)"})


def _shimmed(column: Column, text: str) -> str:
    """The text of the field after the column's cast and default."""
    text = cast_sql(column.type, text) if column.shim.cast else text
    return text if column.shim.default is None else f"coalesce({text}, {quote_literal(column.shim.default)})"


def _takes_anything(column: Column) -> bool:
    """A text column with a cast keeps objects and lists as their JSON text."""
    return column.shim.cast and isinstance(column.type, Text)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the record a value is: `name` for people (`items[].sku`), `paths` for DuckDB (`$."items"[*]."sku"`).

    There are several paths when the column's field has several names.
    """

    name: str
    paths: tuple[str, ...]
    is_json: bool

    def member(self, name: str) -> _Place:
        return self._inside(f".{name}", f".{_path_part(name)}")

    def element(self) -> _Place:
        return self._inside("[]", "[*]")

    def shown(self) -> str:
        """The JSON here as text; in a list, the list of what its elements hold here."""
        found = [f"CAST(json_extract({WHOLE}, {quote_literal(path)}) AS VARCHAR)" for path in self.paths]
        return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"

    def has_type(self, *types: str) -> str:
        """Whether the JSON here (or, in a list, any element's JSON) is of one of `types`."""
        wanted = ", ".join(quote_literal(kind) for kind in types)
        return " OR ".join(_has_type(path, wanted) for path in self.paths)

    def _inside(self, name: str, step: str) -> _Place:
        return _Place(f"{self.name}{name}", tuple(f"{path}{step}" for path in self.paths), is_json=self.is_json)


def _has_type(path: str, wanted: str) -> str:
    found = f"json_type({WHOLE}, {quote_literal(path)})"
    if "[*]" in path:
        return f"coalesce(list_has_any({found}, [{wanted}]), false)"
    return f"coalesce({found} IN ({wanted}), false)"


def _path_part(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _shape(datatype: DataType) -> object:
    match datatype:
        case Struct(fields):
            return {member.name: _shape(member.type) for member in fields}
        case ListOf(element):
            return [_shape(element)]
        case Json():
            return "JSON"
        case _:
            return "VARCHAR"


def _value(datatype: DataType, text: str, depth: int = 0) -> str:
    match datatype:
        case Struct(fields):
            members = ", ".join(
                f"{quote_identifier(m.name)} := {_value(m.type, f'{text}.{quote_identifier(m.name)}', depth)}"
                for m in fields
            )
            return f"CASE WHEN {text} IS NULL THEN NULL ELSE struct_pack({members}) END"
        case ListOf(element):
            item = f"_e{depth}"
            return f"list_transform({text}, lambda {item}: {_value(element, item, depth + 1)})"
        case _:
            return f"CAST({scalar_sql(datatype, text).value} AS {duckdb_type(datatype)})"


def _type_faults(datatype: DataType, text: str, typed: str | None, place: _Place, depth: int = 0) -> list[Fault]:
    match datatype:
        case Struct(fields):
            return _struct_faults(fields, text, typed, place, depth)
        case ListOf(element):
            return _list_faults(element, text, place, depth)
        case Text():
            return _text_faults(text, place)
        case Json():
            bad = "false" if place.is_json else f"{text} IS NOT NULL AND NOT json_valid({text})"
            return [_plain_fault("wrong_type", place.name, bad, text)]
        case Integer() | Decimal() | Double() | Boolean() | Date() | Timestamp():
            return _scalar_faults(datatype, text, typed, place)


def _scalar_faults(datatype: DataType, text: str, typed: str | None, place: _Place) -> list[Fault]:
    scalar = scalar_sql(datatype, text, typed)
    bad = f"CASE WHEN {text} IS NULL THEN false ELSE NOT coalesce({scalar.exact}, false) END"
    return [Fault(_code(scalar.codes), place.name, bad, text, scalar.doubt)]


def _plain_fault(code: str, column: str, condition: str, value: str) -> Fault:
    """A fault of one code, whose condition is cheap enough to be asked of every record."""
    return Fault(quote_literal(code), column, condition, value, condition)


def _code(codes: tuple[tuple[str, str], ...]) -> str:
    cases = " ".join(f"WHEN {condition} THEN {quote_literal(code)}" for code, condition in codes)
    return f"CASE {cases} ELSE 'wrong_type' END" if cases else "'wrong_type'"


def _text_faults(text: str, place: _Place) -> list[Fault]:
    if not place.is_json:
        return []
    nested = place.has_type("OBJECT", "ARRAY")
    # Texts that start with [ or {; each range ends with the character that follows.
    doubt = f"({text} >= '[' AND {text} < '\\') OR ({text} >= '{{' AND {text} < '|')"
    return [Fault("'wrong_type'", place.name, f"CASE WHEN {doubt} THEN {nested} ELSE false END", text, doubt)]


def _struct_faults(fields: tuple[Field, ...], text: str, typed: str | None, place: _Place, depth: int) -> list[Fault]:
    names = [quote_identifier(member.name) for member in fields]
    # json_transform makes a struct of NULLs out of whatever is not an object.
    hollow = " AND ".join(f"{text}.{name} IS NULL" for name in names)
    other = place.has_type("VARCHAR", "ARRAY", *_PLAIN_JSON)
    bad = f"CASE WHEN {hollow} THEN {other} ELSE false END"
    faults = [_plain_fault("wrong_type", place.name, bad, place.shown())]
    for member, name in zip(fields, names, strict=True):
        item, inside = f"{text}.{name}", place.member(member.name)
        if member.required:
            missing = f"({text} IS NOT NULL AND {item} IS NULL AND NOT ({bad}))"
            faults.append(_plain_fault("required", inside.name, missing, "NULL"))
        faults.extend(_type_faults(member.type, item, f"{typed}.{name}" if typed else None, inside, depth))
    return faults


def _list_faults(element: DataType, text: str, place: _Place, depth: int) -> list[Fault]:
    other = place.has_type("VARCHAR", "OBJECT", *_PLAIN_JSON)
    bad = f"CASE WHEN {text} IS NULL THEN {other} ELSE false END"
    faults = [_plain_fault("wrong_type", place.name, bad, place.shown())]
    item = f"_e{depth}"
    for fault in _type_faults(element, item, None, place.element(), depth + 1):
        bad_items = f"list_filter({text}, lambda {item}: {fault.condition})"
        code = f"list_extract(list_transform({bad_items}, lambda {item}: {fault.code}), 1)"
        value = f"list_extract(list_transform({bad_items}, lambda {item}: {fault.value}), 1)"
        found = f"coalesce(len({bad_items}), 0) > 0"
        faults.append(Fault(code, fault.column, found, value, found))
    return faults


def _rule_faults(column: Column, typed: str, shown: str) -> list[Fault]:
    conditions = _limits(column.rules, typed, duckdb_type(column.type)) + _text_limits(column.rules, typed)
    return [Fault(quote_literal(code), column.name, f"coalesce({bad}, false)", shown, bad) for code, bad in conditions]


def _limits(rules: Rules, typed: str, sql_type: str) -> list[tuple[str, str]]:
    limits = (
        ("below_minimum", "<", rules.minimum),
        ("above_maximum", ">", rules.maximum),
        ("below_minimum", "<=", rules.exclusive_minimum),
        ("above_maximum", ">=", rules.exclusive_maximum),
    )
    found = [(code, f"{typed} {operator} {_literal(limit)}") for code, operator, limit in limits if limit is not None]
    if rules.allowed:
        allowed = ", ".join(f"CAST({quote_literal(value)} AS {sql_type})" for value in rules.allowed)
        found.append(("not_allowed", f"{typed} NOT IN ({allowed})"))
    return found


def _text_limits(rules: Rules, typed: str) -> list[tuple[str, str]]:
    found = []
    if rules.min_length is not None:
        found.append(("too_short", f"length({typed}) < {rules.min_length}"))
    if rules.max_length is not None:
        found.append(("too_long", f"length({typed}) > {rules.max_length}"))
    if rules.pattern is not None:
        found.append(("pattern_mismatch", f"NOT regexp_matches({typed}, {quote_literal(rules.pattern)})"))
    return found


def _literal(limit: object) -> str:
    """A number as SQL; dates and instants come as ISO text and take the column's type by comparison."""
    return format(limit, "f") if isinstance(limit, Number) else quote_literal(str(limit))
