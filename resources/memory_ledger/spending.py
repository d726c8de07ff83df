"""Reserved and spent money in memory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from resources.memory_ledger.store import Store
from resources.reservations import Counted, answer, check_amount, check_settled, dollars, nanodollars
from sluice.cost.budget import Purpose, Spend, SpendState, Spent
from sluice.cost.duration import built

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.cost.budget import Funding, Limits, Request


class MemorySpending(Store):
    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Spend] = []

    def reserve(self, request: Request, limits: Limits, reserved_at: datetime, *, regardless: bool = False) -> Funding:
        check_amount("seconds", request.estimate.seconds)
        usd = dollars(nanodollars(request.estimate.usd))
        rounded = replace(request, estimate=replace(request.estimate, usd=usd))
        with self._lock:
            earlier = next((item for item in self._entries if _is_open_of(item, request)), None)
            if earlier is not None:
                return answer(earlier.request, limits, self._counted(earlier.request, earlier), regardless=True)
            funding = answer(request, limits, self._counted(request), regardless=regardless)
            if funding.granted:
                kept = [item for item in self._entries if not (_is_of(item, request) and item.actual_usd == 0)]
                self._entries = [*kept, Spend(rounded, SpendState.RESERVED, reserved_at)]
        return funding

    def settle(self, request: Request, state: SpendState, *, seconds: float, usd: float, settled_at: datetime) -> None:
        actual_usd = dollars(nanodollars(usd))
        check_settled(state)
        check_amount("seconds", seconds)
        with self._lock:
            self._entries = [
                replace(item, state=state, settled_at=settled_at, actual_seconds=seconds, actual_usd=actual_usd)
                if _is_open_of(item, request)
                else item
                for item in self._entries
            ]

    def conclude(self, dataset: str, partition: str, version: str) -> None:
        built = (dataset, partition, version, SpendState.BUILT)
        with self._lock:
            self._entries = [
                replace(item, state=SpendState.PUBLISHED)
                if (item.request.dataset, item.request.partition, item.request.version, item.state) == built
                else item
                for item in self._entries
            ]

    def open_spends(self) -> tuple[Spend, ...]:
        return tuple(item for item in self._entries if item.state is SpendState.RESERVED)

    def spends(self, dataset: str | None = None, month: str | None = None) -> tuple[Spend, ...]:
        return tuple(
            item
            for item in self._entries
            if dataset in {None, item.request.dataset} and month in {None, item.request.month}
        )

    def builds(self, dataset: str, most: int) -> tuple[Spend, ...]:
        return tuple(built(self.spends(dataset)))[-most:]

    def spent_by_month(self, dataset: str) -> tuple[Spent, ...]:
        totals: defaultdict[tuple[str, Purpose], int] = defaultdict(int)
        for item in self.spends(dataset):
            counted = _count(item)
            totals[item.request.month, counted.purpose] += counted.nanodollars
        return tuple(Spent(*place, dollars(total)) for place, total in sorted(totals.items()))

    def _counted(self, request: Request, without: Spend | None = None) -> list[Counted]:
        month = self.spends(request.dataset, request.month)
        return [_count(item) for item in month if item is not without]


def _count(spend: Spend) -> Counted:
    amount = spend.request.estimate.usd if spend.actual_usd is None else spend.actual_usd
    return Counted(spend.request.purpose, spend.state is SpendState.RESERVED, nanodollars(amount))


def _is_of(spend: Spend, request: Request) -> bool:
    entry = spend.request
    return (entry.run_id, entry.dataset, entry.partition) == (request.run_id, request.dataset, request.partition)


def _is_open_of(spend: Spend, request: Request) -> bool:
    return spend.state is SpendState.RESERVED and _is_of(spend, request)
