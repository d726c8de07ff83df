"""Sorts what arrived: what is asked for, what a breaker holds, what waits for room."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg

from sensors import watching
from sensors.runs import count_under_way, places_queued
from sluice.arrivals import ArrivalsLedger, Noticed
from sluice.contract import CODE_VERSION
from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.healing.breakers import Breakers
from sluice.healing.breakers import Ledger as BreakersLedger
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.contract import Contract
    from sluice.history import Attempt, Published
    from sluice.judged import Judged
    from sluice.manifest import Manifest


class Ledger(ArrivalsLedger, BreakersLedger, watching.Ledger, Protocol):
    def noticed_after(self, sequence: int) -> tuple[Noticed, ...]: ...
    def published(self, dataset: str, partition: str) -> Published | None: ...
    def last_attempt(self, dataset: str, partition: str) -> Attempt | None: ...
    def record_verdicts(self, judged: Sequence[Judged]) -> None: ...


@dataclass(frozen=True, slots=True)
class Cursor:
    """The arrival up to which all are dealt with, and a digest of what was last complained of.

    `ahead` has the datasets that are further: one that waits for room does not stand in the way of the others.
    Losing it is harmless: partitions that are published are skipped, and Dagster drops run keys it has seen.
    """

    sequence: int = 0
    complained: str = ""
    ahead: Mapping[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        fields: dict[str, object] = {"sequence": self.sequence, "complained": self.complained}
        return json.dumps(fields | ({"ahead": dict(self.ahead)} if self.ahead else {}))


def read_cursor(text: str | None) -> Cursor:
    try:
        fields: Any = json.loads(text or "{}")  # Any: checked by use
        ahead = {str(name): int(sequence) for name, sequence in fields.get("ahead", {}).items()}
        return Cursor(int(fields.get("sequence", 0)), str(fields.get("complained", "")), ahead)
    except (ValueError, TypeError, AttributeError):
        return Cursor()


@dataclass(frozen=True, slots=True)
class Work:
    """What a tick does; `reached` has how far each dataset was dealt with, `stopped` those of which more waits."""

    wanted: list[Noticed] = field(default_factory=list)
    held: list[Noticed] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)

    def cursor(self, before: Cursor, complained: str) -> Cursor:
        reached = {**before.ahead, **self.reached}
        if not self.stopped:
            return Cursor(max([before.sequence, *reached.values()]), complained)
        least = min(reached.get(name, before.sequence) for name in self.stopped)
        return Cursor(least, complained, {name: at for name, at in sorted(reached.items()) if at > least})


@dataclass(frozen=True, slots=True)
class Desk:
    """Sorts what arrived: what is asked for, what a breaker holds, what waits for room."""

    contracts: Mapping[str, Contract]
    jobs: Mapping[str, UnresolvedAssetJobDefinition]
    ledger: Ledger
    instance: dg.DagsterInstance
    breakers: Breakers
    most_under_way: int

    def sort(self, waiting: Sequence[Noticed], cursor: Cursor, most: int) -> Work:
        work, room = Work(), dict[str, int]()
        queued = places_queued(self.instance, (job.name for job in self.jobs.values())) if waiting else frozenset()
        for noticed in waiting:
            dataset = noticed.manifest.dataset
            if dataset in work.stopped or noticed.sequence <= cursor.ahead.get(dataset, 0):
                continue
            wanted = self._is_wanted(noticed) and (self.jobs[dataset].name, noticed.manifest.partition) not in queued
            held = wanted and bool(self.breakers.holding(dataset))
            if wanted and not held and dataset not in room:
                room[dataset] = self.most_under_way - count_under_way(self.instance, dataset)
            if wanted and (len(work.wanted) + len(work.held) == most or (not held and room[dataset] <= 0)):
                work.stopped.add(dataset)
                continue
            work.reached[dataset] = noticed.sequence
            if held:
                work.held.append(noticed)
            elif wanted:
                work.wanted.append(noticed)
                room[dataset] -= 1
        return work

    def hold(self, noticed: Noticed) -> dg.AssetCheckEvaluation:
        """Record that the partition is held, as its run would; the sensor `reopening` releases it."""
        manifest = noticed.manifest
        version = Version(manifest.fingerprint, self.contracts[manifest.dataset].fingerprint, CODE_VERSION)
        judged = self.breakers.hold(manifest.dataset, manifest.partition, version)
        self.ledger.record_verdicts((judged,))
        return _evaluation(judged)

    def _is_wanted(self, noticed: Noticed) -> bool:
        manifest = noticed.manifest
        contract = self.contracts.get(manifest.dataset)
        if contract is None or contract.dataset not in self.jobs:
            return False
        if manifest.partition < contract.start.isoformat():
            return False  # noticed under an earlier `start`
        published = self.ledger.published(manifest.dataset, manifest.partition)
        is_published = published is not None and published.outcome.fingerprint == manifest.fingerprint
        return not (is_published or self._is_being_built(manifest, contract))

    def _is_being_built(self, manifest: Manifest, contract: Contract) -> bool:
        """Whether the run that pulled it is at work; files that land by themselves are built by whom this asks."""
        if contract.source is None or contract.source.pull is None:
            return False
        last = self.ledger.last_attempt(manifest.dataset, manifest.partition)
        version = Version(manifest.fingerprint, contract.fingerprint, CODE_VERSION)
        return last is not None and last.ended_at is None and last.version == str(version)


def _evaluation(judged: Judged) -> dg.AssetCheckEvaluation:
    verdict = judged.verdict
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(["raw", judged.dataset]),
        check_name=judged.gate,
        passed=verdict.holds,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{verdict.explanation} {BREAKER_IS_CLOSED.cure}",
        metadata={**verdict.numbers, "threshold": verdict.threshold, "threshold from": verdict.origin, **verdict.facts},
        blocking=True,
        partition=judged.partition,
    )
