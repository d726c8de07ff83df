"""What is true of all values of one column or member, asked of DuckDB in the transform's own words."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sluice.datatypes import Boolean, Date, Double, Integer, Timestamp
from sluice.scalar_sql import scalar_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNKNOWN_ZONE = "Etc/UTC"
"""The zone taken for instants that name none, until somebody who knows says otherwise."""

MAX_DISTINCT = 12
"""A column with more distinct values than this is no enumeration."""

_MEASURED = "_sluice_values"


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about a bag of texts; `is_` facts hold for every text, counts and lengths are over all of them."""

    count: int = 0
    is_integer: bool = True  # fits 64 bits, is written as a whole number without leading zero or plus sign
    is_whole: bool = True  # the same without the limit to 64 bits
    is_number: bool = True
    is_plain_number: bool = True  # no exponent, no plus sign, no leading zero
    is_boolean: bool = True
    is_date: bool = True
    is_zoned: bool = True  # an instant that names its zone
    is_instant: bool = True  # an instant, with or without a zone
    has_padding: bool = False  # a leading zero or plus sign: digits, perhaps, but no number
    has_nanoseconds: bool = False
    has_other_date: bool = False  # something like 31/12/2026
    has_negative: bool = False
    most_scale: int = 0
    least_scale: int = 99
    most_digits: int = 0  # before the point
    emails: int = 0
    addresses: int = 0  # IPv4
    distinct: frozenset[str] | None = frozenset()  # None when there are more than MAX_DISTINCT

    def merged(self, other: Facts) -> Facts:
        """Return what is true of both bags together."""
        return Facts(**{field.name: _merge(field.name, self, other) for field in fields(Facts)})


def measure(connection: DuckDBPyConnection, texts: pa.StringArray) -> Facts:
    """Return the facts of all texts that are not null."""
    values = pa.table({"v": texts})
    connection.register(_MEASURED, values)
    row = connection.execute(_QUERY).fetchall()[0]
    connection.unregister(_MEASURED)
    found = dict(zip(_AGGREGATES, row, strict=True))
    if not found["count"]:
        return Facts()
    distinct = frozenset(found.pop("distinct"))
    return Facts(**found, distinct=distinct if len(distinct) <= MAX_DISTINCT else None)


def _merge(name: str, one: Facts, other: Facts) -> Any:  # noqa: ANN401 - whatever type that field has
    a, b = getattr(one, name), getattr(other, name)
    if name == "distinct":
        union = None if a is None or b is None else a | b
        return union if union is not None and len(union) <= MAX_DISTINCT else None
    if name.startswith("is_"):
        return a and b
    if name.startswith("has_"):
        return a or b
    if name.startswith("most_"):
        return max(a, b)
    return min(a, b) if name.startswith("least_") else a + b


_WHOLE = r"\s*-?(0|[1-9]\d*)\s*"
_PLAIN = r"\s*-?(0|[1-9]\d*)(\.\d+)?\s*"
_PADDED = r"\s*(\+.*|[+-]?0\d.*)"
_NUMBER = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*"
_FRACTION = r"length(regexp_extract(v, '\.(\d*)', 1))"
_DIGITS = r"length(regexp_extract(v, '\d+'))"
_EMAIL = r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
_IPV4 = r"(\d{1,3}\.){3}\d{1,3}"
_OTHER_DATE = r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}.*|\d{4}/\d{1,2}/\d{1,2}.*"
_AGGREGATES = {
    "count": "count(v)",
    "is_integer": f"bool_and(regexp_full_match(v, '{_WHOLE}') AND ({scalar_sql(Integer(), 'v').exact}))",
    "is_whole": f"bool_and(regexp_full_match(v, '{_WHOLE}'))",
    "is_number": f"bool_and(regexp_full_match(v, '{_NUMBER}') AND coalesce({scalar_sql(Double(), 'v').exact}, false))",
    "is_plain_number": f"bool_and(regexp_full_match(v, '{_PLAIN}'))",
    "is_boolean": f"bool_and({scalar_sql(Boolean(), 'v').exact})",
    "is_date": f"bool_and(coalesce({scalar_sql(Date(), 'v').exact}, false))",
    "is_zoned": f"bool_and(coalesce({scalar_sql(Timestamp(), 'v').exact}, false))",
    "is_instant": f"bool_and(coalesce({scalar_sql(Timestamp(UNKNOWN_ZONE), 'v').exact}, false))",
    "has_padding": f"bool_or(regexp_full_match(v, '{_PADDED}'))",
    "has_nanoseconds": r"bool_or(regexp_full_match(v, '\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.]\d{7,}.*'))",
    "has_other_date": f"bool_or(regexp_full_match(v, '{_OTHER_DATE}'))",
    "has_negative": "bool_or(starts_with(ltrim(v), '-'))",
    "most_scale": f"max({_FRACTION})",
    "least_scale": f"min({_FRACTION})",
    "most_digits": f"max({_DIGITS})",
    "emails": f"count_if(regexp_full_match(v, '{_EMAIL}'))",
    "addresses": f"count_if(regexp_full_match(v, '{_IPV4}'))",
    "distinct": f"list_slice(list(DISTINCT v), 1, {MAX_DISTINCT + 1})",
}
_QUERY = f"SELECT {', '.join(_AGGREGATES.values())} FROM {_MEASURED} WHERE v IS NOT NULL"
