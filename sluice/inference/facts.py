"""What is true of the values of one column or member, asked of DuckDB in the transform's own words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow as pa

from sluice.datatypes import Boolean, Date, Double, Integer, Timestamp
from sluice.transform.scalar_sql import scalar_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNKNOWN_ZONE = "Etc/UTC"
"""The zone taken for instants that name none, until somebody who knows says otherwise."""

MAX_DISTINCT = 12
"""A column with more distinct values than this is no enumeration."""

_MEASURED = "_sluice_values"


class Trait(StrEnum):
    """What a text may be; most texts have several traits."""

    WHOLE = "whole"  # a whole number without leading zero or plus sign, of any size
    INTEGER = "integer"  # the same in 64 bits
    NUMBER = "number"  # finite as a double
    PLAIN = "plain"  # a number without exponent, leading zero or plus sign
    PADDED = "padded"  # a leading zero or plus sign: digits, perhaps, but no number
    NEGATIVE = "negative"
    BOOLEAN = "boolean"
    DATE = "date"
    ZONED = "zoned"  # an instant that names its zone
    INSTANT = "instant"  # an instant, with or without a zone
    NANOSECONDS = "nanoseconds"
    OTHER_DATE = "other_date"  # something like 31/12/2026
    EMAIL = "email"
    ADDRESS = "address"  # IPv4


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about a bag of texts: how many there are, how many have which trait, and the extent of the numbers."""

    count: int = 0
    traits: Counter[Trait] = field(default_factory=Counter)
    most_scale: int = 0
    least_scale: int = 99
    most_digits: int = 0  # before the point
    distinct: frozenset[str] | None = frozenset()  # None when there are more than MAX_DISTINCT

    def all(self, trait: Trait) -> bool:
        return self.traits[trait] == self.count

    def any(self, trait: Trait) -> bool:
        return self.traits[trait] > 0

    def mostly(self, trait: Trait, share: float) -> bool:
        return self.count > 0 and self.traits[trait] >= share * self.count

    def merged(self, other: Facts) -> Facts:
        """Return what is true of both bags together."""
        union = None if self.distinct is None or other.distinct is None else self.distinct | other.distinct
        return Facts(
            self.count + other.count,
            self.traits + other.traits,
            max(self.most_scale, other.most_scale),
            min(self.least_scale, other.least_scale),
            max(self.most_digits, other.most_digits),
            union if union is not None and len(union) <= MAX_DISTINCT else None,
        )


def measure(connection: DuckDBPyConnection, texts: pa.StringArray) -> Facts:
    """Return the facts of all texts that are not null."""
    connection.register(_MEASURED, pa.table({"v": texts}))
    ((count, most_scale, least_scale, most_digits, distinct, *tally),) = connection.execute(_QUERY).fetchall()
    connection.unregister(_MEASURED)
    if not count:
        return Facts()
    few = frozenset(distinct) if len(distinct) <= MAX_DISTINCT else None
    traits = Counter(dict(zip(_CONDITIONS, tally, strict=True)))
    return Facts(count, traits, most_scale, least_scale, most_digits, few)


def _exact(datatype: Boolean | Date | Double | Integer | Timestamp) -> str:
    return f"coalesce({scalar_sql(datatype, 'v').exact}, false)"


def _matches(pattern: str) -> str:
    return f"regexp_full_match(v, '{pattern}')"


_WHOLE = r"\s*-?(0|[1-9]\d*)\s*"
_NUMBER = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*"
_CONDITIONS = {
    Trait.WHOLE: _matches(_WHOLE),
    Trait.INTEGER: f"{_matches(_WHOLE)} AND {_exact(Integer())}",
    Trait.NUMBER: f"{_matches(_NUMBER)} AND {_exact(Double())}",
    Trait.PLAIN: _matches(r"\s*-?(0|[1-9]\d*)(\.\d+)?\s*"),
    Trait.PADDED: _matches(r"\s*(\+.*|[+-]?0\d.*)"),
    Trait.NEGATIVE: "starts_with(ltrim(v), '-')",
    Trait.BOOLEAN: _exact(Boolean()),
    Trait.DATE: _exact(Date()),
    Trait.ZONED: _exact(Timestamp()),
    Trait.INSTANT: _exact(Timestamp(UNKNOWN_ZONE)),
    Trait.NANOSECONDS: _matches(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.]\d{7,}.*"),
    Trait.OTHER_DATE: _matches(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}.*|\d{4}/\d{1,2}/\d{1,2}.*"),
    Trait.EMAIL: _matches(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"),
    Trait.ADDRESS: _matches(r"(\d{1,3}\.){3}\d{1,3}"),
}
_TALLY = ", ".join(f"coalesce(sum(n) FILTER ({condition}), 0)::BIGINT" for condition in _CONDITIONS.values())
_QUERY = f"""
    SELECT sum(n)::BIGINT,
        max(length(regexp_extract(v, '\\.(\\d*)', 1))), min(length(regexp_extract(v, '\\.(\\d*)', 1))),
        max(length(regexp_extract(v, '\\d+'))), list_slice(list(v), 1, {MAX_DISTINCT + 1}), {_TALLY}
    FROM (SELECT v, count(*) AS n FROM {_MEASURED} WHERE v IS NOT NULL GROUP BY v)"""
