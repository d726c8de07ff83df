"""Reserved and spent money in DynamoDB; each month has running sums, which change with its entries or not at all."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from resources.dynamo_ledger.items import number, read_time, read_time_or_none, write_time, write_time_or_none
from resources.dynamo_ledger.store import Store
from resources.reservations import Counted, answer, check_amount, check_settled, dollars, nanodollars
from sluice.cost.budget import Estimate, Purpose, Request, Spend, SpendState, Spent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_ledger.items import Item, Key
    from resources.dynamo_ledger.table import Table
    from sluice.cost.budget import Funding, Limits

_OPEN = "OPEN_SPENDS"
_BUILT = frozenset({SpendState.BUILT, SpendState.PUBLISHED})


class DynamoSpending(Store):
    def reserve(self, request: Request, limits: Limits, reserved_at: datetime, *, regardless: bool = False) -> Funding:
        check_amount("seconds", request.estimate.seconds)
        usd = dollars(nanodollars(request.estimate.usd))
        reserved = Spend(
            replace(request, estimate=replace(request.estimate, usd=usd)), SpendState.RESERVED, reserved_at
        )
        order = cache(lambda: number(self._table.count_up("spends")))

        def work(draft: Draft) -> Funding:
            entries = _entries_of(draft, request)
            earlier = next((item for item in entries.values() if item.state is SpendState.RESERVED), None)
            if earlier is not None:
                return answer(earlier.request, limits, _counted(draft, earlier.request, earlier), regardless=True)
            funding = answer(request, limits, _counted(draft, request), regardless=regardless)
            if funding.granted:
                free = {key: item for key, item in entries.items() if item.actual_usd == 0}
                for key, item in free.items():
                    _delete(draft, key, item)
                _add(draft, order(), reserved, kept=[key for key in entries if key not in free])
            return funding

        return self._change(request.dataset, work)

    def settle(self, request: Request, state: SpendState, *, seconds: float, usd: float, settled_at: datetime) -> None:
        settled: dict[str, Any] = {
            "state": check_settled(state),
            "actual_seconds": check_amount("seconds", seconds),
            "actual_usd": dollars(nanodollars(usd)),
            "settled_at": settled_at,
        }

        def work(draft: Draft) -> None:
            for key, item in _entries_of(draft, request).items():
                if item.state is SpendState.RESERVED:
                    _change_entry(draft, key, item, replace(item, **settled))
                    draft.delete((_OPEN, key[1]))

        self._change(request.dataset, work)

    def conclude(self, dataset: str, partition: str, version: str) -> None:
        by_run = self._table.query(_runs_pk(dataset, partition))
        keys = [(_pk(dataset), order) for run in by_run for order in run["orders"].split()]
        for key, item in self._table.fetch(keys).items():
            if (item["version"], item["state"]) == (version, SpendState.BUILT.value):
                self._change(dataset, lambda draft, key=key: _conclude(draft, key))  # type: ignore[misc]

    def open_spends(self) -> tuple[Spend, ...]:
        named = [(_pk(item["dataset"]), item["sk"]) for item in self._table.query(_OPEN)]
        found = self._table.fetch(named)
        spends = (_read(self._table, found[key]) for key in named if key in found)
        return tuple(item for item in spends if item.state is SpendState.RESERVED)

    def spends(self, dataset: str | None = None, month: str | None = None) -> tuple[Spend, ...]:
        where = {} if month is None else {"month": month}
        found = [item for name in self._table.datasets(dataset) for item in self._table.query(_pk(name), where=where)]
        return tuple(_read(self._table, item) for item in sorted(found, key=_order))

    def builds(self, dataset: str, most: int) -> tuple[Spend, ...]:
        newest = self._table.query(
            _pk(dataset), where={"took_time": True}, newest_first=True, most=most, page=max(most, 1)
        )
        return tuple(reversed([_read(self._table, item) for item in newest]))

    def spent_by_month(self, dataset: str) -> tuple[Spent, ...]:
        months = self._table.query(_month_key(dataset, "")[0])
        return tuple(spent for item in months for spent in _spent(item))


def _entries_of(draft: Draft, request: Request) -> dict[Key, Spend]:
    """Return the run's entries for the partition, oldest first; none can be added or changed meanwhile."""
    of_run = draft.read(_run_key(request))
    keys = [(_pk(request.dataset), order) for order in (of_run or {"orders": ""})["orders"].split()]
    return {key: _read(draft.table, found) for key in keys if (found := draft.read(key)) is not None}


def _add(draft: Draft, order: str, spend: Spend, kept: Iterable[Key]) -> None:
    request = spend.request
    key = (_pk(request.dataset), order)
    draft.read(key)
    _put(draft, key, spend)
    draft.put(_run_key(request), {"orders": " ".join([*(known for _, known in kept), order])})
    draft.put((_OPEN, order), {"dataset": request.dataset})
    _count(draft, spend, 1)


def _delete(draft: Draft, key: Key, spend: Spend) -> None:
    draft.delete(key)
    _count(draft, spend, -1)


def _change_entry(draft: Draft, key: Key, before: Spend, after: Spend) -> None:
    _put(draft, key, after)
    _count(draft, before, -1)
    _count(draft, after, 1)


def _conclude(draft: Draft, key: Key) -> None:
    found = draft.read(key)
    if found is not None and found["state"] == SpendState.BUILT.value:
        _put(draft, key, replace(_read(draft.table, found), state=SpendState.PUBLISHED))


def _count(draft: Draft, spend: Spend, times: int) -> None:
    """Add the entry to its month's sums, or take it away again."""
    key = _month_key(spend.request.dataset, spend.request.month)
    sums = {name: value for name, value in (draft.read(key) or {}).items() if name not in {"pk", "sk", "rev"}}
    purpose, amount = spend.request.purpose.value, nanodollars(_usd(spend))
    for name, more in ((f"{purpose}_{_kind(spend)}", amount), (f"{purpose}_entries", 1)):
        sums[name] = sums.get(name, 0) + times * more
    draft.put(key, sums)


def _counted(draft: Draft, request: Request, without: Spend | None = None) -> Iterator[Counted]:
    sums = draft.read(_month_key(request.dataset, request.month)) or {}
    for purpose in Purpose:
        for is_open, kind in ((True, "reserved"), (False, "spent")):
            yield Counted(purpose, is_open, sums.get(f"{purpose.value}_{kind}", 0))
    if without is not None:
        yield Counted(without.request.purpose, without.state is SpendState.RESERVED, -nanodollars(_usd(without)))


def _spent(item: Item) -> Iterator[Spent]:
    for purpose in sorted(Purpose):
        if item.get(f"{purpose.value}_entries", 0):
            total = sum(item.get(f"{purpose.value}_{kind}", 0) for kind in ("reserved", "spent"))
            yield Spent(item["sk"], purpose, dollars(total))


def _usd(spend: Spend) -> float:
    return spend.request.estimate.usd if spend.actual_usd is None else spend.actual_usd


def _kind(spend: Spend) -> str:
    return "reserved" if spend.state is SpendState.RESERVED else "spent"


def _put(draft: Draft, key: Key, spend: Spend) -> None:
    request, took = spend.request, spend.actual_seconds
    item = {
        "partition": request.partition,
        "version": request.version,
        "month": request.month,
        "state": spend.state.value,
        "took_time": spend.state in _BUILT and took is not None and took > 0,
        "reserved_at": write_time(spend.reserved_at),
        "settled_at": write_time_or_none(spend.settled_at),
        "estimated_nanodollars": nanodollars(request.estimate.usd),
        "actual_nanodollars": None if spend.actual_usd is None else nanodollars(spend.actual_usd),
    }
    estimate = {name: value for name, value in asdict(request.estimate).items() if name != "usd"}
    body = {"run_id": request.run_id, "purpose": request.purpose.value, "actual_seconds": took, "estimate": estimate}
    draft.put(key, item, body=body)


def _read(table: Table, item: Item) -> Spend:
    body, amount = table.body(item), item.get("actual_nanodollars")
    estimate = Estimate(**body["estimate"], usd=dollars(item["estimated_nanodollars"]))
    request = Request(
        dataset=item["pk"].partition("#")[2],
        partition=item["partition"],
        version=item["version"],
        run_id=body["run_id"],
        month=item["month"],
        purpose=Purpose(body["purpose"]),
        estimate=estimate,
    )
    return Spend(
        request,
        SpendState(item["state"]),
        read_time(item["reserved_at"]),
        settled_at=read_time_or_none(item.get("settled_at")),
        actual_seconds=body["actual_seconds"],
        actual_usd=None if amount is None else dollars(amount),
    )


def _order(item: Item) -> str:
    return str(item["sk"])


def _pk(dataset: str) -> str:
    return f"SPENDS#{dataset}"


def _run_key(request: Request) -> Key:
    return _runs_pk(request.dataset, request.partition), request.run_id


def _runs_pk(dataset: str, partition: str) -> str:
    return f"SPENT_BY_RUNS#{dataset}#{partition}"


def _month_key(dataset: str, month: str) -> Key:
    return f"MONTHS#{dataset}", month
