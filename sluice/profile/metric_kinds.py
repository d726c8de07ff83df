"""Which metrics there are, and of which columns: a contract may set limits for these and no others."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sluice.datatypes import Boolean, Date, Decimal, Double, Integer, Json, ListOf, Struct, Text, Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.datatypes import DataType

_NUMBERS = (Integer, Decimal, Double)
_INSTANTS = (Date, Timestamp)
_SCALARS = (Text, *_NUMBERS, Boolean, *_INSTANTS, Json)


@dataclass(frozen=True, slots=True)
class MetricKind:
    """`column_types` are the types that its column may have; it is empty for a metric of the whole partition."""

    description: str
    column_types: tuple[type[DataType], ...] = ()

    @property
    def needs_column(self) -> bool:
        return bool(self.column_types)


METRIC_KINDS: Mapping[str, MetricKind] = MappingProxyType(
    {
        "row_count": MetricKind("published records"),
        "rejected_share": MetricKind("quarantined records, as a share of the records that came in"),
        "duplicate_share": MetricKind("superseded records, as a share of the records that came in"),
        "bytes_in": MetricKind("bytes of the raw objects"),
        "bytes_out": MetricKind("bytes of the staged files"),
        "seconds": MetricKind("how long the transform took"),
        "null_share": MetricKind("records without a value, as a share of the published", (*_SCALARS, Struct, ListOf)),
        "distinct_count": MetricKind("different values, counted exactly", _SCALARS),
        "mean": MetricKind("the mean value", _NUMBERS),
        "sum": MetricKind("the sum of the values", _NUMBERS),
        "minimum": MetricKind("the least value; of dates and instants in seconds since 1970", (*_NUMBERS, *_INSTANTS)),
        "maximum": MetricKind(
            "the largest value; of dates and instants in seconds since 1970", (*_NUMBERS, *_INSTANTS)
        ),
    }
)
"""A metric that is said without a column is measured of every partition, whether or not the contract names it."""
