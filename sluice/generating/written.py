"""How values are written in each file format: cells of text for JSON Lines and CSV, typed columns for Parquet."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal as Number
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from sluice.contract import FileFormat
from sluice.datatypes import Boolean, DataType, Date, Decimal, Double, Integer, Json, ListOf, Struct, Text, Timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sluice.contract import Column, CsvDialect, Source

_MILLISECONDS = re.compile("%(%|g)")


class Format(Protocol):
    """`cell` is a value as it goes into a row; a row is the cells of all columns, or a line that replaces it."""

    def cell(self, value: object, datatype: DataType) -> object: ...
    def file(self, rows: Iterable[Sequence[object] | str]) -> bytes: ...


def format_of(source: Source, columns: Sequence[Column]) -> Format:
    match source.format:
        case FileFormat.CSV:
            return CsvFormat(tuple(columns), source.csv)
        case FileFormat.PARQUET:
            return ParquetFormat(tuple(columns))
        case FileFormat.JSONL | FileFormat.JSON:
            return JsonFormat(tuple(columns))


@dataclass(frozen=True, slots=True)
class JsonFormat:
    columns: tuple[Column, ...]

    def cell(self, value: object, datatype: DataType) -> object:
        return json_text(value, datatype)

    def line(self, row: Sequence[object]) -> str:
        """Write the members that there are; a cell None is left out."""
        names = (json.dumps(column.name, ensure_ascii=False) for column in self.columns)
        members = (f"{name}:{cell}" for name, cell in zip(names, row, strict=True) if cell is not None)
        return f"{{{','.join(members)}}}"

    def file(self, rows: Iterable[Sequence[object] | str]) -> bytes:
        # A full row through one template: joining members one by one takes five times as long.
        names = (json.dumps(column.name, ensure_ascii=False).replace("%", "%%") for column in self.columns)
        template = f"{{{','.join(f'{name}:%s' for name in names)}}}"
        lines = (
            row if isinstance(row, str) else self.line(row) if None in row else template % tuple(row) for row in rows
        )
        return "".join(f"{line}\n" for line in lines).encode()


@dataclass(frozen=True, slots=True)
class CsvFormat:
    columns: tuple[Column, ...]
    dialect: CsvDialect

    def cell(self, value: object, datatype: DataType) -> object:
        if value is None:
            return ""
        text = value if isinstance(value, str) else _plain(value, datatype)
        return self._quoted(text)

    def can_write(self, value: object) -> bool:
        """Whether the dialect has a spelling for the value: not every encoding has all letters."""
        if not isinstance(value, str):
            return True
        try:
            value.encode(self.dialect.encoding)
        except UnicodeEncodeError:
            return False
        return self.dialect.quote is not None or self.dialect.delimiter not in value

    def line(self, row: Sequence[object]) -> str:
        return self.dialect.delimiter.join("" if cell is None else str(cell) for cell in row)

    def file(self, rows: Iterable[Sequence[object] | str]) -> bytes:
        lines = [row if isinstance(row, str) else self.line(row) for row in rows]
        if self.dialect.header:
            lines.insert(0, self.line([self._quoted(column.name) for column in self.columns]))
        return "".join(f"{line}\n" for line in lines).encode(self.dialect.encoding)

    def _quoted(self, text: str) -> str:
        quote = self.dialect.quote
        if quote is None or not any(mark in text for mark in (quote, self.dialect.delimiter, "\n", "\r")):
            return text
        return f"{quote}{text.replace(quote, quote * 2)}{quote}"


@dataclass(frozen=True, slots=True)
class ParquetFormat:
    columns: tuple[Column, ...]

    def cell(self, value: object, datatype: DataType) -> object:
        match datatype:
            case _ if value is None:
                return None
            case Json():
                return json_text(value, datatype)
            case Date(str()) | Timestamp(format=str()):
                return _plain(value, datatype)
            case Struct(fields) if isinstance(value, dict):
                return {member.name: self.cell(value[member.name], member.type) for member in fields}
            case ListOf(element) if isinstance(value, list):
                return [self.cell(item, element) for item in value]
            case _:
                return value

    def file(self, rows: Iterable[Sequence[object] | str]) -> bytes:
        columns = zip(*rows, strict=True)
        schema = pa.schema([(column.name, _arrow_type(column.type)) for column in self.columns])
        arrays = [pa.array(cells, field.type) for cells, field in zip(columns, schema, strict=True)]
        target = io.BytesIO()
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), target, compression="zstd")
        return target.getvalue()


def json_text(value: object, datatype: DataType) -> str:
    match datatype:
        case _ if value is None:
            return "null"
        case Struct(fields) if isinstance(value, dict):
            members = (
                f"{json.dumps(member.name, ensure_ascii=False)}:{json_text(value[member.name], member.type)}"
                for member in fields
            )
            return f"{{{','.join(members)}}}"
        case ListOf(element) if isinstance(value, list):
            return f"[{','.join(json_text(item, element) for item in value)}]"
        case Integer() | Decimal() | Double() | Boolean():
            return _plain(value, datatype)
        case Date() | Timestamp():
            return json.dumps(_plain(value, datatype), ensure_ascii=False)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _plain(value: object, datatype: DataType) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return _instant(value, datatype)
        case date():
            pattern = datatype.format if isinstance(datatype, Date) else None
            return value.isoformat() if pattern is None else _formatted(datetime.combine(value, time()), pattern)
        case Number():
            return format(value, "f")
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def _instant(value: datetime, datatype: DataType) -> str:
    """In the zone that the source means; without a format in UTC, which says so itself."""
    pattern = datatype.format if isinstance(datatype, Timestamp) else None
    if pattern is None:
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    zone = datatype.default_zone if isinstance(datatype, Timestamp) else None
    return _formatted(value.astimezone(ZoneInfo(zone) if zone else UTC), pattern)


def _formatted(value: datetime, pattern: str) -> str:
    """Python has no letter for milliseconds; DuckDB's is %g."""
    milliseconds = f"{value.microsecond // 1000:03d}"
    return value.strftime(_MILLISECONDS.sub(lambda m: "%%" if m[1] == "%" else milliseconds, pattern))


def _arrow_type(datatype: DataType) -> pa.DataType:  # noqa: C901  one line for each type
    match datatype:
        case Text() | Json():
            return pa.string()
        case Integer(bits):
            return pa.int32() if bits == pa.int32().bit_width else pa.int64()
        case Decimal(precision, scale):
            return pa.decimal128(precision, scale)
        case Double():
            return pa.float64()
        case Boolean():
            return pa.bool_()
        case Date(format=None):
            return pa.date32()
        case Timestamp(format=None):
            return pa.timestamp("us", "UTC")
        case Date() | Timestamp():
            return pa.string()
        case Struct(fields):
            return pa.struct([(member.name, _arrow_type(member.type)) for member in fields])
        case ListOf(element):
            return pa.list_(_arrow_type(element))
