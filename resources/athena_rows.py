"""Athena's answers, which are all text, as Arrow columns of their types."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_INTEGERS = {"tinyint": pa.int8(), "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64()}
_WIDEST = 38


def rows_of(pages: Iterable[Mapping[str, Any]], *, has_header: bool) -> pa.Table:
    """Return all rows; the first page of a SELECT begins with the names of the columns.

    Instants are UTC. Arrays, maps and rows stay the text that Athena makes of them.
    """
    columns: Sequence[Mapping[str, Any]] = ()
    rows: list[list[str | None]] = []
    for number, page in enumerate(pages):
        columns = columns or page["ResultSetMetadata"]["ColumnInfo"]
        found = [[item.get("VarCharValue") for item in row.get("Data", ())] for row in page["Rows"]]
        rows += found[1:] if has_header and number == 0 else found
    values: Sequence[Sequence[str | None]] = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [_array(column, texts) for column, texts in zip(columns, values, strict=True)]
    return pa.Table.from_arrays(arrays, names=[str(column["Name"]) for column in columns])


def _array(column: Mapping[str, Any], texts: Sequence[str | None]) -> pa.Array[Any]:
    kind = str(column["Type"])
    match kind:
        case "boolean":
            return _read(texts, lambda text: text == "true", pa.bool_())
        case "tinyint" | "smallint" | "integer" | "bigint":
            return _read(texts, int, _INTEGERS[kind])
        case "float" | "real" | "double":
            return _read(texts, float, pa.float64())
        case "decimal":
            return _decimals(column, texts)
        case "date":
            return _read(texts, date.fromisoformat, pa.date32())
        case "timestamp":
            return _read(texts, _naive, pa.timestamp("us"))
        case "timestamp with time zone":
            return _read(texts, _instant, pa.timestamp("us", tz="UTC"))
        case _:
            return pa.array(texts, pa.string())


def _read(texts: Sequence[str | None], read: Callable[[str], object], kind: pa.DataType) -> pa.Array[Any]:
    return pa.array([None if text is None else read(text) for text in texts], kind)


def _decimals(column: Mapping[str, Any], texts: Sequence[str | None]) -> pa.Array[Any]:
    """A value is exact whatever the answer says of its digits: ministack always says 38 and none behind the point."""
    values = [None if text is None else Decimal(text) for text in texts]
    behind = [-int(value.as_tuple().exponent) for value in values if value is not None]
    return pa.array(values, pa.decimal128(_WIDEST, max([int(column.get("Scale", 0)), *behind])))


def _naive(text: str) -> datetime:
    """Hive's timestamps have no zone, and Sluice writes UTC into them."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _instant(text: str) -> datetime:
    """`2026-11-20 10:00:00.000 Europe/Berlin`, or with an offset."""
    moment, _, zone = text.rpartition(" ")
    if ":" in zone and not zone.startswith(("+", "-")):  # the time itself: nothing is behind it
        return datetime.fromisoformat(text).astimezone(UTC)
    if zone.startswith(("+", "-")):
        return datetime.fromisoformat(moment + zone).astimezone(UTC)
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
