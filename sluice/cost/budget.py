"""Budgets: money is reserved before work begins and settled when it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

EPSILON_USD = 1e-9
"""Dollars are floats, rounded to a millionth of a cent; less than this is no difference."""


class Purpose(StrEnum):
    BUILD = "build"
    HEALING = "healing"  # another try at a version that failed before, or a run that repairs something


class SpendState(StrEnum):
    RESERVED = "reserved"  # the run is at work
    BUILT = "built"  # staged, not (yet) published
    PUBLISHED = "published"
    FAILED = "failed"  # the transform ended with an error
    KILLED = "killed"  # the run ended without saying so; charged what it took, at most the estimate


@dataclass(frozen=True, slots=True)
class Estimate:
    """What building a partition is expected to take. `basis` says what it was estimated from."""

    seconds: float
    bytes_in: int
    objects: int
    usd: float
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A wish to spend; one run asks once per partition, and asking again gives the same answer."""

    dataset: str
    partition: str
    version: str
    run_id: str
    month: str  # 2026-11, UTC, of when the money is spent
    purpose: Purpose
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Limits:
    """What a dataset may spend in a month, and of that on healing. None is no limit. The origins say why so much."""

    monthly_usd: float | None = None
    healing_monthly_usd: float | None = None
    monthly_origin: str = ""
    healing_origin: str = ""


@dataclass(frozen=True, slots=True)
class Funding:
    """The ledger's answer to a request; the numbers are those of the budget that refused, else of the monthly one.

    `spent_usd` and `reserved_usd` are without this request. `limit_usd` None means that there is no limit.
    """

    request: Request
    granted: bool
    budget: str  # "monthly" or "healing"
    limit_usd: float | None
    spent_usd: float
    reserved_usd: float
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Spend:
    """One entry of the ledger: a request that was granted, and what became of it."""

    request: Request
    state: SpendState
    reserved_at: datetime
    settled_at: datetime | None = None
    actual_seconds: float | None = None
    actual_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent, or is reserved, for one purpose in a month: all of it, or a part."""

    month: str
    purpose: Purpose
    usd: float
