"""What a contract asks of the gates: limits, severities, completeness, references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluice.gates.verdict import Severity

MINIMUM_HISTORY = 14
"""Published partitions before a learned limit may block; before that it warns from the eighth and is silent earlier."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A number of one partition: `row_count`, or `mean` of a column, whose name everywhere is `mean(amount)`."""

    kind: str
    column: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}({self.column})" if self.column else self.kind


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a metric must lie. Fixed limits, a fixed share around the usual (`within`, 0.2 is 20 %), or learned.

    `sensitivity` is the learned limits' distance in robust standard deviations.
    """

    metric: Metric
    minimum: float | None = None
    maximum: float | None = None
    within: float | None = None
    sensitivity: float = 5.0
    minimum_history: int = MINIMUM_HISTORY


@dataclass(frozen=True, slots=True)
class Completeness:
    """When a partition's files are all there. `marker` and `control` are keys below the raw zone with `{date}`."""

    marker: str | None = None
    control: str | None = None
    minimum_objects: int | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """Reference data that this dataset is read together with; its newest partition may be so many days older."""

    dataset: str
    max_age_days: int


@dataclass(frozen=True, slots=True)
class GateRules:
    """The contract's `gates`; what is not said has these defaults. Shares are between 0 and 1."""

    severities: tuple[tuple[str, Severity], ...] = ()
    max_unreadable_share: float = 0.5
    max_rejected_share: float = 0.5
    max_null_shares: tuple[tuple[str, float], ...] = ()
    completeness: Completeness | None = None
    row_count: Expected = Expected(Metric("row_count"))
    metrics: tuple[Expected, ...] = ()
    references: tuple[Reference, ...] = ()
