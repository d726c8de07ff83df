"""DuckDB expressions that cast one text value to a scalar type, and say whether the cast lost anything.

`TRY_CAST` alone is not enough: it rounds 1.5 to 2, takes 1_000 and 0x1F as numbers, shifts days for an offset of +99:00
and cuts nanoseconds. Every cast here comes with the test that it was exact, and with a cheaper one that ordinary values
pass (does the value print as it was written?): it runs for every value of every record, the exact one only on doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from sluice.datatypes import Boolean, DataType, Date, Decimal, Double, Integer, Json, ListOf, Struct, Text, Timestamp
from sluice.sql_types import duckdb_type, quote_literal

_NUMBER = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*"
# 15 significant digits survive a round trip through a double, so equal doubles then mean equal decimals.
_SHORT_EXPONENT = r"\s*[+-]?\d{1,7}(\.\d{0,8})?[eE][+-]?\d{1,3}\s*"
_INSTANT = r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.]\d{1,6}0*)?)?"
_OFFSET = r" ?(Z|UTC|[+-](0\d|1[0-4])(:?[0-5]\d)?)"


@dataclass(frozen=True, slots=True)
class ScalarSql:
    """`value` is the typed expression, `exact` whether text became it without loss, `codes` why it did not.

    `doubt` is true wherever `exact` may be false, and cheap; it alone copes with NULL. `codes` are (reason code,
    condition) in the order they are asked once a value is known to be bad; when none holds the reason is wrong_type.
    """

    value: str
    exact: str
    doubt: str
    codes: tuple[tuple[str, str], ...] = ()


def scalar_sql(datatype: DataType, text: str, typed: str | None = None) -> ScalarSql:
    """Return the expressions for a scalar held as text in `text`; `typed` names the cast value if there is one."""
    match datatype:
        case Integer():
            return _integer(datatype, text, typed)
        case Decimal():
            return _decimal(datatype, text, typed)
        case Double():
            value = f"TRY_CAST({text} AS DOUBLE)"
            exact = f"isfinite({typed or value}) AND NOT contains({text}, '_')"
            doubt = f"NOT coalesce(isfinite({typed or value}), {text} IS NULL) OR contains({text}, '_')"
            return ScalarSql(value, exact, doubt, (("out_of_range", _matches(text, _NUMBER)),))
        case Boolean():
            value = f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END"
            return _castable(value, text, typed)
        case Date():
            return _date(datatype, text, typed)
        case Timestamp():
            return _timestamp(datatype, text, typed)
        case Text() | Json():
            return ScalarSql(text, "true", "false")
        case Struct() | ListOf():
            raise TypeError(datatype)
        case _:
            assert_never(datatype)


def _integer(datatype: Integer, text: str, typed: str | None) -> ScalarSql:
    value = f"TRY_CAST({text} AS {duckdb_type(datatype)})"
    seen = typed or value
    whole = _matches(text, r"\s*[+-]?\d+(\.0*)?\s*")
    exponent = f"({_matches(text, _SHORT_EXPONENT)} AND TRY_CAST({text} AS DOUBLE) = CAST({seen} AS DOUBLE))"
    fraction = f"contains({text}, '.') OR contains(lower({text}), 'e')"
    return ScalarSql(
        value,
        f"{seen} IS NOT NULL AND ({whole} OR {exponent})",
        _prints_otherwise(seen, text),
        (
            ("out_of_range", f"{seen} IS NULL AND {_matches(text, _NUMBER)}"),
            ("not_exact", f"{_matches(text, _NUMBER)} AND ({fraction})"),
        ),
    )


def _decimal(datatype: Decimal, text: str, typed: str | None) -> ScalarSql:
    value = f"TRY_CAST({text} AS {duckdb_type(datatype)})"
    seen = typed or value
    plain = _matches(text, rf"\s*[+-]?\d*\.?\d{{0,{datatype.scale}}}0*\s*")
    exponent = f"({_matches(text, _SHORT_EXPONENT)} AND TRY_CAST({text} AS DOUBLE) = CAST({seen} AS DOUBLE))"
    return ScalarSql(
        value,
        f"{seen} IS NOT NULL AND ({plain} OR {exponent})",
        _prints_otherwise(seen, text),
        (
            ("out_of_range", f"{seen} IS NULL AND {_matches(text, _NUMBER)}"),
            ("not_exact", _matches(text, _NUMBER)),
        ),
    )


def _date(datatype: Date, text: str, typed: str | None) -> ScalarSql:
    if datatype.format is None:
        value = f"TRY_CAST({text} AS DATE)"
        doubt = _prints_otherwise(typed or value, text)
        return ScalarSql(value, f"NOT ({doubt})", doubt)
    value = f"CAST(try_strptime({text}, {quote_literal(datatype.format)}) AS DATE)"
    return _castable(value, text, typed)


def _timestamp(datatype: Timestamp, text: str, typed: str | None) -> ScalarSql:
    zone = datatype.default_zone
    if datatype.format is not None:
        local = f"try_strptime({text}, {quote_literal(datatype.format)})"
        # With %z DuckDB returns an instant already; the cast is then a no-op in the session's zone, which is UTC.
        value = (
            f"CAST({local} AS TIMESTAMP) AT TIME ZONE {quote_literal(zone)}"
            if zone
            else f"CAST({local} AS TIMESTAMPTZ)"
        )
        return _castable(value, text, typed)
    instant = f"TRY_CAST({text} AS TIMESTAMPTZ)"
    zoned = _matches(text, _INSTANT + _OFFSET)
    codes = (
        ("no_time_zone", _matches(text, _INSTANT)),
        ("not_exact", _matches(text, r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.]\d{7,}.*")),
        ("bad_time_zone", f"{_matches(text, _INSTANT + '.+')} AND NOT {zoned}"),
    )
    if zone is None:
        return _well_formed(instant, text, typed, zoned, codes)
    local = f"TRY_CAST({text} AS TIMESTAMP) AT TIME ZONE {quote_literal(zone)}"
    value = f"CASE WHEN {_matches(text, _INSTANT)} THEN {local} ELSE {instant} END"
    either = _matches(text, f"{_INSTANT}({_OFFSET})?")
    return _well_formed(value, text, typed, either, codes[1:])


def _castable(value: str, text: str, typed: str | None) -> ScalarSql:
    seen = f"({typed or value})"
    return ScalarSql(value, f"{seen} IS NOT NULL", f"({seen} IS NULL) <> ({text} IS NULL)")


def _well_formed(value: str, text: str, typed: str | None, form: str, codes: tuple[tuple[str, str], ...]) -> ScalarSql:
    castable = _castable(value, text, typed)
    return ScalarSql(value, f"{castable.exact} AND {form}", f"{castable.doubt} OR NOT {form}", codes)


def _prints_otherwise(seen: str, text: str) -> str:
    return f"CAST({seen} AS VARCHAR) IS DISTINCT FROM {text}"


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {quote_literal(pattern)})"
