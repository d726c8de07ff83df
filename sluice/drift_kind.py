"""In what way a field differs from the contract, and from which share of an object's records on that is drift."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

_FEW = 0.01
_MOSTLY = 0.5

TYPE_CODES = frozenset({"wrong_type", "not_exact", "out_of_range", "no_time_zone", "bad_time_zone"})
"""Reasons that say: this value is not of the column's type."""


class DriftKind(StrEnum):
    UNKNOWN = "unknown"  # the files hold a field that the contract does not declare
    MISSING = "missing"  # the contract declares a column that an object has in none of its records
    RETYPED = "retyped"  # an object's values are of another type than the column


def is_drift(kind: DriftKind, records: int, of_records: int) -> bool:
    """Whether so many of an object's records mean that its sender has changed something; fewer are bad records."""
    match kind:
        case DriftKind.UNKNOWN:
            return records >= _FEW * of_records
        case DriftKind.MISSING:
            return records >= of_records
        case DriftKind.RETYPED:
            return records > _MOSTLY * of_records
        case _:
            assert_never(kind)
