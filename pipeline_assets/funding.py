"""Money of one run: reserved before the transform, settled after it, released when a run died with it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.cost.budget import Request, SpendState
from sluice.cost.estimate import NEWEST_BUILDS, are_learned, estimate, limits, price, priced_engine, purpose_of
from sluice.cost.release import release_ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import dagster as dg

    from pipeline_assets.ports import Clock, Ledger
    from sluice.contract import Contract
    from sluice.cost.budget import Funding
    from sluice.cost.price_book import PriceBook
    from sluice.outcome import Outcome
    from sluice.version import Version


@dataclass(slots=True)
class Bill:
    """What one build came to. Not frozen: the step fills it in while it works."""

    outcome: Outcome | None = None
    estimated_usd: float = 0.0
    usd: float = 0.0

    @property
    def numbers(self) -> Mapping[str, float]:
        return {"usd": self.usd, "estimated_usd": self.estimated_usd}


@dataclass(frozen=True, slots=True)
class Purse:
    """Whose money, by which prices, and which run asks."""

    contract: Contract
    ledger: Ledger
    clock: Clock
    prices: PriceBook
    instance: dg.DagsterInstance
    run: dg.DagsterRun

    def reserve(
        self, partition: str, version: Version, *, bytes_in: int, objects: int, already_staged: bool, regardless: bool
    ) -> Funding:
        """Ask for what building a version is estimated to cost; reservations of dead runs do not stand in the way."""
        release_ended(self.ledger, self._was_killed, self.clock.now())
        dataset, now = self.contract.dataset, self.clock.now()
        builds = self.ledger.builds(dataset, NEWEST_BUILDS)
        spent = self.ledger.spent_by_month(dataset) if are_learned(self.contract) else ()
        month = now.strftime("%Y-%m")
        request = Request(
            dataset=dataset,
            partition=partition,
            version=str(version),
            run_id=self.run.run_id,
            month=month,
            purpose=purpose_of(self.run.tags, self._failed_before(partition, version)),
            estimate=estimate(self.contract, bytes_in, objects, builds, self.prices, already_staged=already_staged),
        )
        return self.ledger.reserve(request, limits(self.contract, spent, month), now, regardless=regardless)

    @contextmanager
    def spending(self, partition: str) -> Iterator[Bill]:
        """Settle this run's reservation by how the body ends; the body sets the bill's outcome, built or found."""
        started = self.clock.now()
        bill = Bill()
        try:
            yield bill
        except BaseException:
            self._settle(partition, bill, SpendState.FAILED, (self.clock.now() - started).total_seconds())
            raise
        assert bill.outcome is not None  # noqa: S101  a body that ends well has built something
        self._settle(partition, bill, SpendState.BUILT, bill.outcome.seconds)

    def _settle(self, partition: str, bill: Bill, state: SpendState, seconds: float) -> None:
        place = (self.run.run_id, self.contract.dataset, partition)
        for spend in self.ledger.open_spends():
            request = spend.request
            if (request.run_id, request.dataset, request.partition) == place:
                bill.estimated_usd = request.estimate.usd
                took = seconds
                if bill.outcome is None or bill.outcome.run_id == self.run.run_id:
                    bill.usd = _price(self.contract, seconds, request, bill.outcome, self.prices)
                else:
                    took = 0.0  # what another run has staged before costs nothing again
                self.ledger.settle(request, state, seconds=took, usd=bill.usd, settled_at=self.clock.now())

    def _was_killed(self, run_id: str) -> bool | None:
        run = self.instance.get_run_by_id(run_id)
        if run is None:
            return False
        return not run.is_success if run.is_finished else None

    def _failed_before(self, partition: str, version: Version) -> bool:
        last = self.ledger.last_attempt(self.contract.dataset, partition)
        return last is not None and last.error is not None and last.version == str(version)


def _price(contract: Contract, seconds: float, request: Request, outcome: Outcome | None, prices: PriceBook) -> float:
    planned = request.estimate
    bytes_out = outcome.bytes_out if outcome else 0
    rules = contract.cost
    engine = priced_engine(contract, planned.bytes_in)
    return price(engine, seconds, planned.objects, planned.bytes_in, bytes_out, prices, rules.region)
