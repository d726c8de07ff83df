"""DuckDB expressions for the shims of columns: other names of a field, and texts of other types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.datatypes import Boolean, DataType, Date, Decimal, Double, Integer, Timestamp
from sluice.sql_types import quote_literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.contract import Column

_TRUE, _FALSE = ("1", "t", "y", "yes"), ("0", "f", "n", "no")
_MIDNIGHT = r"\d{4}-\d\d-\d\d[T ]00:00(:00([.]0+)?)?( ?(Z|UTC|[+-]00(:?00)?))?"
_EPOCHS = ((r"\d{9,10}([.]\d{1,6}0*)?", 1_000_000), (r"\d{12,13}([.]\d{1,3}0*)?", 1_000), (r"\d{15,16}", 1))
"""Seconds, milliseconds and microseconds since 1970, told apart by their digits: all three mean 1973 to 2286."""


def fields_of(column: Column) -> tuple[str, ...]:
    """Return the names under which files hold the column, the declared one first."""
    return (column.name, *column.shim.also_called)


def cast_sql(datatype: DataType, text: str) -> str:
    """Return the text that the type's own reading takes, for every text that says the same in another type."""
    match datatype:
        case Integer() | Decimal() | Double():
            return _words(text, {"true": "'1'", "false": "'0'", "": "NULL"})
        case Boolean():
            return _words(text, {**dict.fromkeys(_TRUE, "'true'"), **dict.fromkeys(_FALSE, "'false'"), "": "NULL"})
        case Date(format=None):
            midnight = f"regexp_full_match({text}, {quote_literal(_MIDNIGHT)})"
            return f"CASE WHEN {midnight} THEN left({text}, 10) ELSE nullif({text}, '') END"
        case Timestamp(format=None):
            return f"CASE {_epochs(text)} ELSE nullif({text}, '') END"
        case _:
            return text


def contradiction(texts: Sequence[str]) -> str:
    """Whether one record holds the field under two names with different values."""
    pairs = [(one, other) for index, one in enumerate(texts) for other in texts[index + 1 :]]
    return " OR ".join(f"coalesce({one} <> {other}, false)" for one, other in pairs) or "false"


def _words(text: str, meanings: dict[str, str]) -> str:
    cases = " ".join(f"WHEN {quote_literal(word)} THEN {meaning}" for word, meaning in meanings.items())
    return f"CASE lower({text}) {cases} ELSE {text} END"


def _epochs(text: str) -> str:
    return " ".join(
        f"WHEN regexp_full_match({text}, {quote_literal(pattern)}) THEN "
        f"strftime(make_timestamp(CAST(TRY_CAST({text} AS DECIMAL(38,6)) * {factor} AS BIGINT)), "
        "'%Y-%m-%dT%H:%M:%S.%fZ')"
        for pattern, factor in _EPOCHS
    )
