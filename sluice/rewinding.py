"""Taking published partitions back to what their table showed before: which of them, to which version."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sluice.derivation import derived_manifest, in_build_order, inputs_of
from sluice.errors import RewindRefused
from sluice.manifest import build_manifest
from sluice.outcome import Outcome
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sluice.contract import Contract
    from sluice.publishing import Held

NOTHING = Version(build_manifest("", "", ()).fingerprint, "0" * 12, "0")
"""The version of no files: what a partition shows that goes back to before it was first published."""

_SHORTEST_RUN_ID = 8  # as Dagster's pages cut them


@dataclass(frozen=True, slots=True)
class AtSnapshot:
    """What the table showed when this snapshot was its newest."""

    snapshot_id: int


@dataclass(frozen=True, slots=True)
class AtTime:
    instant: datetime


@dataclass(frozen=True, slots=True)
class BeforeRun:
    """What the table showed until a run's first commit; `run_id` may be cut as Dagster's pages cut it."""

    run_id: str


Point = AtSnapshot | AtTime | BeforeRun


@dataclass(frozen=True, slots=True)
class Commit:
    """One snapshot that a table still knows; `shows` has the partitions that it changed, with their new versions.

    `number` counts commits from 1, those included that are forgotten. `run_id` is None for a rewind. `showed` has the
    versions that the partitions showed before; commits of older releases do not say.
    """

    snapshot_id: int
    number: int
    committed_at: datetime
    shows: Mapping[str, Version]
    run_id: str | None = None
    showed: Mapping[str, Version] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One partition: what it shows, what it is to show, and the versions that are taken back by that."""

    partition: str
    shown: Version
    target: Version
    taken_back: frozenset[Version] = frozenset()

    @property
    def changes(self) -> bool:
        return self.shown != self.target


@dataclass(frozen=True, slots=True)
class Rewind:
    """Every partition that was changed after `snapshot_id`; None stands for the table before its first commit.

    A step that changes nothing is kept: its partition went back already, and the ledger may not know it yet.
    `newest` is the snapshot that the table showed when this was planned: the way back.
    """

    dataset: str
    snapshot_id: int | None
    steps: tuple[Step, ...] = ()
    newest: int | None = None

    @property
    def changes(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.changes)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a table shows of its partitions, and the versions that were taken back and never come back by themselves."""

    held: Mapping[str, Held]
    taken_back: Mapping[str, frozenset[Version]] = field(default_factory=dict)


def parse_point(text: str) -> Point:
    """Read a snapshot id, an ISO 8601 instant or a run id; raises RewindRefused."""
    if text.isdecimal():
        # One run id in 43 begins with eight digits and no letter. Snapshot ids are random numbers of 63 bits.
        return BeforeRun(text) if len(text) == _SHORTEST_RUN_ID else AtSnapshot(int(text))
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        if len(text) < _SHORTEST_RUN_ID:
            raise RewindRefused(
                problem=f'"{text}" is no snapshot, no instant and too short for a run id',
                cure="Write a snapshot id, an instant such as 2026-11-20T06:00:00Z, or a run id.",
            ) from None
        return BeforeRun(text)
    if instant.tzinfo is None:
        raise RewindRefused(problem=f'"{text}" has no zone', cure="Write one behind it: 2026-11-20T06:00:00Z.")
    return AtTime(instant.astimezone(UTC))


def locate(point: Point, commits: Sequence[Commit]) -> int | None:
    """Return the snapshot to go back to; `commits` are the known ones, oldest first. Raises RewindRefused."""
    known = {commit.snapshot_id for commit in commits}
    match point:
        case AtSnapshot(snapshot_id):
            if snapshot_id not in known:
                raise _refusal(f"does not know a snapshot {snapshot_id}", commits)
            return snapshot_id
        case AtTime(instant):
            before = [commit.snapshot_id for commit in commits if commit.committed_at <= instant]
            if not before:
                raise _refusal(f"knows nothing of {instant.isoformat()}", commits)
            return before[-1]
        case BeforeRun(run_id):
            first = _first_of_run(run_id, commits)
            if first.number == 1:
                return None
            if first == commits[0]:
                raise _refusal(f"does not know any more what it showed before run {run_id}", commits)
            return commits[commits.index(first) - 1].snapshot_id


def plan_rewind(
    dataset: str,
    snapshot_id: int | None,
    commits: Sequence[Commit],
    shown: Shown,
    files_say: Mapping[str, Version],
    partition: str | None = None,
) -> Rewind:
    """Return a step for each partition that was changed after the snapshot.

    `files_say` has the versions of the partitions that had rows in the snapshot, as the folders of their files have
    it; it answers for those whose commit is not known any more, if the next one to change them does not say.
    """
    position = next((i for i, commit in enumerate(commits, 1) if commit.snapshot_id == snapshot_id), 0)
    later = commits[position:]
    next_change = {day: commit for commit in reversed(later) for day in commit.shows}
    then = {**files_say} | {day: item.showed[day] for day, item in next_change.items() if day in item.showed}
    for commit in commits[:position]:
        then |= commit.shows
    changed = sorted({day for commit in later for day in commit.shows} & shown.held.keys())
    steps = (
        Step(day, shown.held[day].version, target := then.get(day, NOTHING), _taken_back(day, target, later, shown))
        for day in changed
        if partition in {None, day}
    )
    return Rewind(dataset, snapshot_id, tuple(steps), commits[-1].snapshot_id if commits else None)


def outcome_of_nothing(dataset: str, partition: str) -> Outcome:
    """Return what the ledger says of a partition that went back to before its first publication."""
    return Outcome(
        dataset=dataset,
        partition=partition,
        fingerprint=NOTHING.fingerprint,
        contract_version="",
        contract_fingerprint=NOTHING.contract,
        code_version=NOTHING.code,
        run_id="",
        objects=(),
        files=(),
        quarantine_files=(),
    )


def downstream(
    rewind: Rewind, contracts: Mapping[str, Contract], published: Iterable[Outcome]
) -> tuple[tuple[str, str], ...]:
    """Return the derived (dataset, partition) pairs that are to be built again after a rewind, in build order.

    Those that were not built again since the point that is gone back to stay as they are.
    """
    versions = {(item.dataset, item.partition): item.version for item in published}
    versions |= {(rewind.dataset, step.partition): step.target for step in rewind.steps}
    days = sorted(step.partition for step in rewind.steps)
    stale: dict[tuple[str, str], None] = {}
    for contract in in_build_order(contracts):
        inputs = inputs_of(contract, contracts)
        reads = {rewind.dataset, *(name for name, _ in stale)}.intersection(inputs)
        for day in days if reads else ():
            if _is_stale(contract.dataset, day, inputs, versions, stale):
                stale[contract.dataset, day] = None
    return tuple(stale)


def _is_stale(
    dataset: str,
    day: str,
    inputs: Sequence[str],
    versions: Mapping[tuple[str, str], Version],
    stale: Collection[tuple[str, str]],
) -> bool:
    mine = versions.get((dataset, day))
    if mine is None or any((name, day) not in versions for name in inputs):
        return False
    wanted = derived_manifest(dataset, day, {name: versions[name, day] for name in inputs})
    return mine.fingerprint != wanted.fingerprint or any((name, day) in stale for name in inputs)


def _taken_back(day: str, target: Version, later: Sequence[Commit], shown: Shown) -> frozenset[Version]:
    """Return all that may not come back by itself: what was published since, and what was taken back before.

    What an earlier rewind showed is not among it, or undoing that rewind would condemn the good version.
    """
    published = {commit.shows[day] for commit in later if commit.run_id is not None and day in commit.shows}
    return frozenset(published | shown.taken_back.get(day, frozenset())) - {target, NOTHING}


def _first_of_run(run_id: str, commits: Sequence[Commit]) -> Commit:
    of_run = [commit for commit in commits if commit.run_id is not None and commit.run_id.startswith(run_id)]
    if not of_run:
        raise _refusal(f"knows no commit of run {run_id}", commits)
    if len({commit.run_id for commit in of_run}) > 1:
        raise RewindRefused(problem=f"several runs begin with {run_id}", cure="Write more of the run id.")
    return of_run[0]


def _refusal(problem: str, commits: Sequence[Commit]) -> RewindRefused:
    if not commits:
        return RewindRefused(problem=f"the table {problem}", cure="Nothing has been published to it yet.")
    oldest = commits[0]
    return RewindRefused(
        problem=f"the table {problem}",
        cure=f"The oldest that it knows is snapshot {oldest.snapshot_id} of {oldest.committed_at.isoformat()}; "
        "maintenance.keep_days and keep_snapshots in the contract say how long they stay.",
    )
