"""Looks at everything and changes nothing: what has landed, noticed or not, and what tables hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline_assets.cli.environment import Environment
from resources.ledger import Ledger
from sluice.arrivals import KnownObject, Noticed, sweep_raw_zone
from sluice.manifest import Manifest
from sluice.partition_state import PartitionStatus
from sluice.survey import survey as survey_partitions
from sluice.version import Version


def survey(environment: Environment) -> tuple[PartitionStatus, ...]:
    """Return the status of every partition; hashes objects that no sweep has seen, writes nothing."""
    ledger = environment.ledger
    return survey_partitions(
        environment.contracts,
        manifests(environment).values(),
        ledger.all_published(),
        ledger.last_attempt,
        ledger.blocking_verdicts(),
        ledger.acceptances(),
        taken_back(environment),
    )


def manifests(environment: Environment) -> Mapping[tuple[str, str], Manifest]:
    """Return (dataset, partition) -> the newest manifest, noticed or not."""
    ledger = environment.ledger
    newest = {_place(item.manifest): item.manifest for item in ledger.noticed_after(0)}
    # A file that landed a moment ago is pending, though the sensor would still wait for it to settle.
    contracts, now = environment.contracts.values(), environment.clock.now()
    sweep = sweep_raw_zone(contracts, environment.store, _Unwritten(ledger), now, settle=timedelta(0))
    return newest | {_place(item.manifest): item.manifest for item in sweep.noticed}


def taken_back(environment: Environment) -> Mapping[tuple[str, str], frozenset[Version]]:
    """Return what rewinds took back, by (dataset, partition)."""
    return {
        (dataset, partition): versions
        for dataset in environment.contracts
        for partition, versions in environment.tables.taken_back(dataset).items()
    }


def _place(manifest: Manifest) -> tuple[str, str]:
    return manifest.dataset, manifest.partition


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """The ledger's arrivals as they are; what a sweep notices is returned and forgotten."""

    ledger: Ledger

    def listing_digests(self, dataset: str) -> Mapping[str, str]:
        return self.ledger.listing_digests(dataset)

    def known_objects(self, dataset: str, partition: str) -> tuple[KnownObject, ...]:
        return self.ledger.known_objects(dataset, partition)

    def notice(
        self, manifest: Manifest, objects: tuple[KnownObject, ...], listing_digest: str, noticed_at: datetime
    ) -> Noticed:
        del objects, listing_digest
        return Noticed(0, manifest, noticed_at)

    def latest(self, dataset: str, partition: str) -> Noticed | None:
        return self.ledger.latest(dataset, partition)
