"""What building a partition will take and cost, and how well that was foreseen so far."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from sluice.cost.budget import Estimate
from sluice.cost.duration import NEWEST_BUILDS, built, learn_duration
from sluice.cost.limits import are_learned, limits, purpose_of
from sluice.cost.price import price, prices_by_engine
from sluice.cost.rules import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sluice.contract import Contract
    from sluice.cost.budget import Spend
    from sluice.cost.price_book import PriceBook

__all__ = [
    "NEWEST_BUILDS",
    "EstimateErrors",
    "are_learned",
    "errors",
    "estimate",
    "estimates_by_engine",
    "limits",
    "price",
    "priced_engine",
    "purpose_of",
]


@dataclass(frozen=True, slots=True)
class EstimateErrors:
    """Estimated against actual seconds of builds: shares of the actual, None before the first.

    `median_share` is how far off the usual estimate was, either way; `bias` is above 0 when estimates are too high.
    """

    builds: int
    median_share: float | None = None
    bias: float | None = None


def estimate(
    contract: Contract,
    bytes_in: int,
    objects: int,
    history: Sequence[Spend],
    prices: PriceBook,
    *,
    already_staged: bool,
) -> Estimate:
    """Return seconds and dollars; `history`: at least its newest builds. Staged data are (re)published without work."""
    if already_staged:
        return Estimate(0.0, bytes_in, objects, 0.0, "already staged")
    is_spark = contract.engine.is_spark(bytes_in)
    alike = [item for item in history if contract.engine.is_spark(item.request.estimate.bytes_in) == is_spark]
    duration = learn_duration(alike, is_spark=is_spark)
    seconds, rules = duration.seconds(bytes_in), contract.cost
    # Parquet is about as large as the compressed files it is made from.
    usd = price(priced_engine(contract, bytes_in), seconds, objects, bytes_in, bytes_in, prices, rules.region)
    return Estimate(seconds, bytes_in, objects, usd, duration.basis)


def priced_engine(contract: Contract, bytes_in: int) -> Engine:
    """Return what a build of so many bytes is billed as: on Spark as Glue bills it, unless `engine` is local."""
    usual = contract.cost.engine
    return Engine.GLUE if contract.engine.is_spark(bytes_in) and usual is not Engine.LOCAL else usual


def estimates_by_engine(contract: Contract, expected: Estimate, prices: PriceBook) -> Mapping[Engine, float]:
    """Return what an estimate would come to on each engine."""
    size, objects = expected.bytes_in, expected.objects
    return prices_by_engine(expected.seconds, objects, size, size, prices, contract.cost.region)


def errors(history: Sequence[Spend]) -> EstimateErrors:
    """Compare estimates with what builds really took; what was estimated as free says nothing."""
    shares = [
        item.request.estimate.seconds / item.actual_seconds - 1
        for item in built(history)
        if item.actual_seconds and item.request.estimate.seconds
    ]
    if not shares:
        return EstimateErrors(0)
    return EstimateErrors(len(shares), median([abs(share) for share in shares]), median(shares))
