"""Writes down what a rewind did: incident, Dagster's event log and ledger follow the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG

from pipeline_assets.asset_specs import Zone, asset_key
from pipeline_assets.staging import fetch_outcome
from sluice.errors import RewindRefused, StagedFilesMissing
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident, RemedyKind, RemedyTaken
from sluice.history import Published
from sluice.publishing import Effect
from sluice.rewinding import NOTHING, outcome_of_nothing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_assets.evidence import Witnesses
    from pipeline_assets.ports import Store
    from sluice.contract import Contract
    from sluice.outcome import Outcome
    from sluice.publishing import Held
    from sluice.rewinding import Rewind, Step


@dataclass(frozen=True, slots=True)
class Reason:
    """`downstream` are the datasets that are to be built again."""

    why: str
    rewound_by: str
    downstream: tuple[str, ...]


def fetch_outcomes(store: Store, rewind: Rewind) -> Mapping[str, Outcome]:
    """Return partition -> what building its target came to; raises RewindRefused when that is not known any more."""
    return {step.partition: _fetch_outcome(store, rewind.dataset, step) for step in rewind.steps}


def _fetch_outcome(store: Store, dataset: str, step: Step) -> Outcome:
    if step.target == NOTHING:
        return outcome_of_nothing(dataset, step.partition)
    try:
        return fetch_outcome(store, dataset, step.partition, step.target)
    except StagedFilesMissing as error:
        raise RewindRefused(
            problem=f"{dataset} {step.partition} cannot go back to {step.target}: {error.message}",
            cure="Restore the file from a backup, or name a point that does not need it.",
        ) from error


@dataclass(frozen=True, slots=True)
class RewindRecord:
    """Lets all records follow a table: Dagster's event log, incidents, metrics, the ledger's publications."""

    contract: Contract
    ports: Witnesses
    instance: dg.DagsterInstance

    def write(self, rewind: Rewind, outcomes: Mapping[str, Outcome], reason: Reason) -> tuple[str, ...]:
        """Return the partitions that needed it. Repeating it mends what a crash left."""
        behind = [step for step in rewind.steps if self._is_held_but_not_recorded(step)]
        for step in behind:
            report_rewound(self.instance, outcomes[step.partition])
        for step in behind:
            self._record(step, outcomes[step.partition], reason)
        return tuple(step.partition for step in behind)

    def _is_held_but_not_recorded(self, step: Step) -> bool:
        held = self.ports.tables.held(self.contract.dataset, step.partition)
        recorded = self.ports.ledger.published(self.contract.dataset, step.partition)
        # A writer that published right behind the rewind records its own version.
        return _shows(held, step) and (recorded is None or recorded.outcome.version != step.target)

    def _record(self, step: Step, outcome: Outcome, reason: Reason) -> None:
        """The record of the publication comes last: until it is there, the rest is found to be done again."""
        ledger, now = self.ports.ledger, self.ports.clock.now()
        if step.taken_back:
            self._open_incident(outcome, reason)
        else:  # nothing is held back any more: an earlier rewind was undone
            ledger.resolve_incidents(outcome.dataset, outcome.partition, now, reason.rewound_by)
        ledger.record_metrics(outcome.dataset, outcome.partition, self._metrics(outcome))
        held = self.ports.tables.held(outcome.dataset, outcome.partition)
        ledger.record(Published(outcome, held.snapshot_id if held else None, now))

    def _open_incident(self, outcome: Outcome, reason: Reason) -> None:
        ledger, now = self.ports.ledger, self.ports.clock.now()
        bad = ledger.published(outcome.dataset, outcome.partition)
        opened = ledger.open_incident(
            Incident(
                number=0,  # the ledger gives it one
                dataset=outcome.dataset,
                partition=outcome.partition,
                version=str(bad.outcome.version) if bad else "",
                failure_class=FailureClass.QUALITY,
                opened_at=bad.published_at if bad else now,
                detected_at=now,
                evidence=f"Taken back by {reason.rewound_by}: {reason.why}",
                run_id=bad.outcome.run_id if bad else "",
                downstream=reason.downstream,
            )
        )
        ledger.note_remedy(opened.number, RemedyTaken(RemedyKind.REWIND, now, note=f"shows {outcome.version}"))

    def _metrics(self, outcome: Outcome) -> Mapping[str, float]:
        """Return what learned limits may learn from: a version of another contract may lack columns to measure.

        Nothing is learned from a stand-in.
        """
        if outcome.contract_fingerprint != self.contract.fingerprint or outcome.stand_in is not None:
            return {}
        return self.ports.fetch_profile(self.contract, outcome).metrics


def report_rewound(instance: dg.DagsterInstance, outcome: Outcome) -> None:
    """Report the older data version, from which the daemon's automation sees that derived partitions are stale."""
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            asset_key(Zone.TABLES, outcome.dataset),
            partition=outcome.partition,
            tags={DATA_VERSION_TAG: str(outcome.version)},
            metadata={
                "effect": str(Effect.REWOUND),
                "rows": outcome.published,
                "dagster/partition_row_count": outcome.published,
            },
        )
    )


def _shows(held: Held | None, step: Step) -> bool:
    return held is not None and held.version == step.target
