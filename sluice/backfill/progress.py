"""How far a plan has come, and which of its partitions are built next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sluice.backfill.chunk import chunked
from sluice.healing.killed import KILLED
from sluice.partition_state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sluice.backfill.plan import Plan, Target
    from sluice.contract import Contract
    from sluice.history import Attempt
    from sluice.partition_state import PartitionStatus


_CHUNKS_AT_ONCE = 2
"""Chunks of one dataset: each of their partitions is a commit to the same table, and only one commit can win."""


class Stage(StrEnum):
    """What is to become of a plan, as somebody decided it."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"  # every partition was tried; the failed ones are in its progress


@dataclass(frozen=True, slots=True)
class Backfill:
    """A plan in the ledger, with where it stands; `note` says why it was paused."""

    plan: Plan
    stage: Stage
    changed_at: datetime
    started_at: datetime | None = None
    note: str = ""

    @property
    def is_first_start(self) -> bool:
        """Whether nobody has looked at it since it was launched; who resumes it has seen its canary."""
        return self.started_at == self.changed_at


@dataclass(frozen=True, slots=True)
class Progress:
    """Where each target is. `failed` were tried since the start and are not published; breakers keep `held` back."""

    done: tuple[Target, ...]
    failed: tuple[Target, ...]
    running: tuple[Target, ...]
    waiting: tuple[Target, ...]
    held: tuple[Target, ...] = ()

    @property
    def is_over(self) -> bool:
        return not self.running and not self.waiting and not self.held


def progress_of(
    backfill: Backfill,
    statuses: Sequence[PartitionStatus],
    last_attempt: Callable[[str, str], Attempt | None],
    at_work: Collection[tuple[str, str]],
    given_up: Collection[tuple[str, str]] = (),
) -> Progress:
    """Sort the targets; `at_work` are the partitions that a run is queued or running for.

    `given_up` are those whose runs died so often before they could try that nobody asks for them again.
    """
    states = {(item.dataset, item.partition): item.state for item in statuses}
    sorted_: dict[str, list[Target]] = {"done": [], "failed": [], "running": [], "waiting": [], "held": []}
    for target in backfill.plan.targets:
        where = _where(target, states.get(target.place), backfill, last_attempt, at_work)
        is_given_up = where in {"waiting", "held"} and target.place in given_up
        sorted_["failed" if is_given_up else where].append(target)
    return Progress(**{name: tuple(items) for name, items in sorted_.items()})


@dataclass(frozen=True, slots=True)
class Next:
    """What happens next: one run begins for each of `runs`, or the plan moves to `stage` because of `note`."""

    runs: tuple[tuple[Target, ...], ...] = ()
    stage: Stage | None = None
    note: str = ""


def decide_next(
    backfill: Backfill,
    progress: Progress,
    contracts: Mapping[str, Contract],
    most: int,
    under_way: Iterable[str] = (),
) -> Next:
    """Begin the canary alone, then the rest so that at most `most` runs are at work, inputs before what reads them.

    `under_way` names the dataset of each run of the plan that is at work. A canary that fails pauses the plan: what it
    shows is for a person to judge. What a breaker holds is asked for by whoever releases it.
    """
    canary = backfill.plan.canary
    if backfill.stage is not Stage.RUNNING:
        return Next()
    if progress.is_over:
        return Next((), Stage.DONE, f"{len(progress.done):,} published, {len(progress.failed):,} failed")
    if canary in progress.failed and backfill.is_first_start:
        return Next((), Stage.PAUSED, f"the canary failed: {canary.dataset} {canary.partition}")
    if canary in progress.waiting:
        return Next(((canary,),))
    if canary in (*progress.running, *progress.held):
        return Next()
    unfinished = {item.place for item in (*progress.waiting, *progress.running, *progress.held)}
    ready = [item for item in progress.waiting if not _waits(item, unfinished, contracts)]
    return Next(_begun(chunked(ready, backfill.plan.chunking), Counter(under_way), most))


def _begun(runs: Iterable[tuple[Target, ...]], at_work: Counter[str], most: int) -> tuple[tuple[Target, ...], ...]:
    begun = []
    for run in runs:
        dataset, is_chunk = run[0].dataset, len(run) > 1
        if at_work.total() < most and not (is_chunk and at_work[dataset] >= _CHUNKS_AT_ONCE):
            begun.append(run)
            at_work[dataset] += 1
    return tuple(begun)


def _where(
    target: Target,
    state: State | None,
    backfill: Backfill,
    last_attempt: Callable[[str, str], Attempt | None],
    at_work: Collection[tuple[str, str]],
) -> str:
    if state is State.PUBLISHED:
        return "done"
    if target.place in at_work or state is State.RUNNING:
        return "running"
    if state is State.HELD:
        return "held"
    last = last_attempt(*target.place)
    if last is None or backfill.started_at is None or last.started_at < backfill.started_at:
        return "waiting"
    # Nobody has judged what was killed; who goes on with the plan since wants it tried.
    was_killed = last.error == KILLED.message and last.started_at < backfill.changed_at
    return "waiting" if was_killed else "failed"


def _waits(target: Target, unfinished: Collection[tuple[str, str]], contracts: Mapping[str, Contract]) -> bool:
    from sluice.derivation import inputs_of  # loads a SQL parser

    contract = contracts.get(target.dataset)
    inputs = inputs_of(contract, contracts) if contract else ()
    return any((name, target.partition) in unfinished for name in inputs)
