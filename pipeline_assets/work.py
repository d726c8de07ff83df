"""One partition of a dataset in one run: what the body of every step is given, in a run of its own or in a chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import dagster as dg

from pipeline_assets.funding import Purse
from pipeline_assets.incidents import Chronicle
from sluice.healing.meant import meant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_assets.ports import Clock, Failures, Ledger, Prices
    from sluice.contract import Contract

Reported: TypeAlias = dg.MaterializeResult[None] | dg.AssetCheckResult


@dataclass(frozen=True, slots=True)
class Work:
    contract: Contract
    contracts: Mapping[str, Contract]
    partition: str
    run: dg.DagsterRun
    instance: dg.DagsterInstance
    ledger: Ledger
    clock: Clock
    failures: Failures
    context: dg.OpExecutionContext | None = None  # for engines that report into the run

    @property
    def chronicle(self) -> Chronicle:
        return Chronicle(self.contract, self.partition, self.run.run_id, self.ledger, self.clock, self.failures)

    def meant(self) -> str:
        """Return the fingerprint of what the run is to build, as far as anybody said."""
        asked_for = self.run.tags.get("sluice/fingerprint")
        return meant(self.contract, self.partition, asked_for, self.ledger, self.clock.now())

    def purse(self, prices: Prices) -> Purse:
        return Purse(self.contract, self.ledger, self.clock, prices, self.instance, self.run)
