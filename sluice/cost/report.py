"""The money of a month by dataset: spent, reserved, foreseen, wasted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.cost.budget import Purpose, SpendState
from sluice.cost.duration import built
from sluice.cost.estimate import EstimateErrors, errors
from sluice.cost.forecast import Forecast, forecast
from sluice.cost.limits import amount, limits, spent
from sluice.cost.price import prices_by_engine
from sluice.cost.rules import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sluice.contract import Contract
    from sluice.cost.budget import Limits, Spend
    from sluice.cost.price_book import PriceBook

DEAREST = 5
_WASTED = (SpendState.FAILED, SpendState.KILLED, SpendState.BUILT)
"""Work that nobody can query: built counts until it is published."""


@dataclass(frozen=True, slots=True)
class PartitionCost:
    """All that was spent on a partition in the month, in so many runs."""

    partition: str
    usd: float
    runs: int


@dataclass(frozen=True, slots=True)
class CostRow:
    """One dataset in one month. `failures_usd` and `healing_usd` are parts of `spent_usd`, and may overlap.

    `by_engine` is what the month's builds would have come to on each engine.
    """

    dataset: str
    month: str
    engine: Engine
    spent_usd: float
    reserved_usd: float
    forecast: Forecast
    limits: Limits
    failures_usd: float
    healing_usd: float
    healing_reserved_usd: float
    dearest: tuple[PartitionCost, ...]
    estimates: EstimateErrors
    by_engine: Mapping[Engine, float]

    @property
    def left_usd(self) -> float | None:
        """What the monthly limit leaves; below 0 when more was accepted."""
        limit = self.limits.monthly_usd
        return None if limit is None else limit - self.spent_usd - self.reserved_usd

    @property
    def healing_left_usd(self) -> float | None:
        limit = self.limits.healing_monthly_usd
        return None if limit is None else limit - self.healing_usd - self.healing_reserved_usd


def cost_report(
    spends: Iterable[Spend], contracts: Mapping[str, Contract], now: datetime, month: str, prices: PriceBook
) -> tuple[CostRow, ...]:
    """Return a row for each contract, by name; `spends` are all entries of the ledger, oldest first."""
    by_dataset: defaultdict[str, list[Spend]] = defaultdict(list)
    for item in spends:
        by_dataset[item.request.dataset].append(item)
    return tuple(_row(contracts[name], by_dataset[name], now, month, prices) for name in sorted(contracts))


def _row(contract: Contract, spends: Sequence[Spend], now: datetime, month: str, prices: PriceBook) -> CostRow:
    of_month = [item for item in spends if item.request.month == month]
    healing = [item for item in of_month if item.request.purpose is Purpose.HEALING]
    spent_usd, reserved_usd = _spent(of_month), _reserved(of_month)
    return CostRow(
        dataset=contract.dataset,
        month=month,
        engine=contract.cost.engine,
        spent_usd=spent_usd,
        reserved_usd=reserved_usd,
        forecast=forecast(spends, spent_usd + reserved_usd, month, now),
        limits=limits(contract, map(spent, spends), month),
        failures_usd=_spent(item for item in of_month if item.state in _WASTED),
        healing_usd=_spent(healing),
        healing_reserved_usd=_reserved(healing),
        dearest=_dearest(of_month),
        estimates=errors(of_month),
        by_engine=_by_engine(contract, of_month, prices),
    )


def _spent(spends: Iterable[Spend]) -> float:
    return sum(amount(item) for item in spends if item.state is not SpendState.RESERVED)


def _reserved(spends: Iterable[Spend]) -> float:
    return sum(amount(item) for item in spends if item.state is SpendState.RESERVED)


def _dearest(spends: Iterable[Spend]) -> tuple[PartitionCost, ...]:
    amounts: defaultdict[str, list[float]] = defaultdict(list)
    for item in spends:
        if item.state is not SpendState.RESERVED and amount(item) > 0:
            amounts[item.request.partition].append(amount(item))
    found = [PartitionCost(partition, sum(paid), len(paid)) for partition, paid in amounts.items()]
    return tuple(sorted(found, key=lambda item: (-item.usd, item.partition))[:DEAREST])


def _by_engine(contract: Contract, spends: Iterable[Spend], prices: PriceBook) -> Mapping[Engine, float]:
    totals = dict.fromkeys(Engine, 0.0)
    for item in built(spends):
        planned = item.request.estimate
        size, seconds = planned.bytes_in, item.actual_seconds or 0.0
        for engine, usd in prices_by_engine(seconds, planned.objects, size, size, prices, contract.cost.region).items():
            totals[engine] += usd
    return totals
