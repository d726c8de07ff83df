"""What state a partition is in, decided from what it should hold, what its table holds and the last try."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from sluice.history import Attempt, Published
    from sluice.version import Version


class State(StrEnum):
    PENDING = "pending"  # landed, nothing published, not tried in its present version
    RUNNING = "running"  # a try at the present version has begun and not ended
    FAILED = "failed"  # the last try at the present version failed
    REWOUND = "rewound"  # the present version was taken back; the table shows an older one, or nothing
    HELD = "held"  # nothing is wrong with it: a breaker keeps its run from being launched
    BLOCKED = "blocked"  # a gate keeps the present version out; what was published before stays
    STALE = "stale"  # published, but the raw objects, the inputs or the contract have changed since
    PLACEHOLDER = "placeholder"  # nothing of its own is published, or could be; the table shows a stand-in
    PUBLISHED = "published"  # the table holds the present version


class Change(StrEnum):
    """In what a version differs from another."""

    FILES = "files"  # of a derived dataset: inputs
    CONTRACT = "contract"
    CODE = "code"


class GateState(StrEnum):
    """What the gates said of the version that is wanted."""

    OPEN = "open"  # or not judged yet
    CLOSED = "closed"
    HELD = "held"  # only by breakers
    ACCEPTED = "accepted"  # what closed it was accepted since


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """One partition as a person asks about it; the numbers describe what its table holds now."""

    dataset: str
    partition: str
    state: State
    records_in: int = 0
    published: int = 0
    quarantined: int = 0
    duplicates: int = 0
    error: str | None = None
    stand_in: str | None = None  # what the table shows in place of the partition's own data
    changed: tuple[Change, ...] = ()  # why it is stale


def status_of(
    dataset: str,
    partition: str,
    *,
    wanted: Version | None,
    published: Published | None,
    last_try: Attempt | None,
    gate: GateState = GateState.OPEN,
    taken_back: Collection[Version] = (),
) -> PartitionStatus:
    """Describe one partition; `wanted` is None while its newest raw objects have not been noticed.

    A version that a gate stopped is pending again once somebody has accepted it. One that was `taken_back` is not.
    """
    held = published.outcome if published else None
    state = state_of(wanted, held.version if held else None, last_try)
    if wanted in taken_back and state is not State.PUBLISHED:
        state = State.REWOUND
    if gate is GateState.HELD and state in {State.PENDING, State.STALE, State.FAILED}:
        state = State.HELD
    if state is State.FAILED and gate is not GateState.OPEN:
        unpublished = State.PENDING if held is None else State.STALE
        state = State.BLOCKED if gate is GateState.CLOSED else unpublished
    if held is not None and held.stand_in is not None:
        state = _behind_stand_in(state, wanted)
    error = last_try.error if last_try and state in {State.FAILED, State.BLOCKED} else None
    if held is None:
        return PartitionStatus(dataset, partition, state, error=error)
    return PartitionStatus(
        dataset,
        partition,
        state,
        records_in=held.records_in,
        published=held.published,
        quarantined=held.quarantined,
        duplicates=held.duplicates,
        error=error,
        stand_in=held.stand_in,
        changed=_changed(wanted, held.version) if state is State.STALE and wanted is not None else (),
    )


def _changed(wanted: Version, held: Version) -> tuple[Change, ...]:
    pairs = {
        Change.FILES: (wanted.fingerprint, held.fingerprint),
        Change.CONTRACT: (wanted.contract, held.contract),
        Change.CODE: (wanted.code, held.code),
    }
    return tuple(change for change, (new, old) in pairs.items() if new != old)


def _behind_stand_in(state: State, wanted: Version | None) -> State:
    """A stand-in counts for nothing published; what is derived from one is right as long as its inputs are those."""
    match state:
        case State.PUBLISHED:
            return State.PLACEHOLDER
        case State.STALE:
            return State.PLACEHOLDER if wanted is None else State.PENDING
        case _:
            return state


def state_of(wanted: Version | None, held: Version | None, last_try: Attempt | None) -> State:
    if wanted is not None and wanted == held:
        return State.PUBLISHED
    if wanted is not None and last_try is not None and last_try.version == str(wanted):
        if last_try.ended_at is None:
            return State.RUNNING
        if last_try.error is not None:
            return State.FAILED
    return State.PENDING if held is None else State.STALE
