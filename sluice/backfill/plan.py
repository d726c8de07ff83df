"""A frozen plan: which partitions are built, why, in which order, what it reaches and what it is estimated to take."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from sluice.backfill.chunk import USUAL, Chunking
from sluice.consumers import Affected, consumers_of
from sluice.contract import CODE_VERSION
from sluice.partition_state import Change, State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sluice.contract import Contract
    from sluice.cost.budget import Estimate
    from sluice.partition_state import PartitionStatus

    Place = tuple[str, str]


class Only(StrEnum):
    """Which partitions a plan chooses; what is right is never built again."""

    MISSING = "missing"  # nothing is published
    FAILED = "failed"  # the last try failed, or a gate blocks
    STALE = "stale"  # published, but built from older files, another contract or other code
    ALL = "all"  # every one that is not as it should be, as without it


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(_Frozen):
    """What somebody wanted; `first` and `last` are dates, both included."""

    datasets: tuple[str, ...]
    first: str | None = None
    last: str | None = None
    only: Only | None = None

    def covers(self, partition: str) -> bool:
        return (self.first or "") <= partition <= (self.last or "9999")


class Target(_Frozen):
    """One partition to be built; `why` is a sentence without a full stop."""

    dataset: str
    partition: str
    why: str
    bytes_in: int = 0
    objects: int = 0
    seconds: float = 0.0
    usd: float = 0.0

    @property
    def place(self) -> tuple[str, str]:
        return self.dataset, self.partition


class Reach(_Frozen):
    """A derived dataset that is built again because of the plan, without being part of it."""

    dataset: str
    partitions: tuple[str, ...]
    owner: str | None = None


class Plan(_Frozen):
    """`targets` are in the order in which they are built; the first is the canary. `world` changes when the world does.

    `as_they_should_be` counts partitions of the range that need nothing.
    """

    plan_id: str
    created_at: AwareDatetime
    asked: Asked
    targets: tuple[Target, ...]
    reaches: tuple[Reach, ...]
    as_they_should_be: int
    world: str
    consumers: tuple[Affected, ...] = ()  # of the targets and of what is reached
    chunking: Chunking = Chunking()

    @property
    def canary(self) -> Target:
        return self.targets[0]

    @property
    def seconds(self) -> float:
        return sum(item.seconds for item in self.targets)

    @property
    def usd(self) -> float:
        return sum(item.usd for item in self.targets)

    @property
    def bytes_in(self) -> int:
        return sum(item.bytes_in for item in self.targets)


_WHY = {
    State.PENDING: "nothing is published",
    State.FAILED: "the last try failed",
    State.BLOCKED: "a gate keeps it out",
    State.STALE: "files, inputs, contract or code have changed since",
}
_CHOSEN: Mapping[Only | None, Collection[State]] = {
    None: tuple(_WHY),
    Only.MISSING: (State.PENDING,),
    Only.FAILED: (State.FAILED, State.BLOCKED),
    Only.STALE: (State.STALE,),
    Only.ALL: tuple(_WHY),
}


_SHOWN = (State.PUBLISHED, State.STALE, State.REWOUND, State.PLACEHOLDER)
"""Of these a table surely shows something."""


def plan_backfill(
    asked: Asked,
    statuses: Sequence[PartitionStatus],
    contracts: Mapping[str, Contract],
    estimate: Callable[[str, str], Estimate],
    world: str,
    now: datetime,
    chunking: Chunking = USUAL,
) -> Plan:
    """Freeze what is to be done; `statuses` are those of all partitions, `estimate` is asked for each target.

    Inputs come before what is derived from them, date by date, the newest date first: it is what people look at, and as
    canary the one most like what comes next. A derived partition whose input is a target is a target too, if its
    dataset is asked for; else the plan reaches it.
    """
    from sluice.derivation import in_build_order, inputs_of  # loads a SQL parser

    in_range = [item for item in statuses if item.dataset in asked.datasets and asked.covers(item.partition)]
    chosen = [item for item in in_range if item.state in _CHOSEN[asked.only]]
    why = {(item.dataset, item.partition): _why(item, contracts[item.dataset]) for item in chosen}
    order = [contract.dataset for contract in in_build_order(contracts)]
    for name in order:
        inputs = inputs_of(contracts[name], contracts)
        if name in asked.datasets and inputs:
            days = _can_follow(name, inputs, why, statuses)
            why |= {(name, day): "an input is built again" for day in days if (name, day) not in why}
    in_order = sorted(why, key=lambda place: order.index(place[0]))
    places = sorted(in_order, key=lambda place: place[1], reverse=True)  # which keeps that order within a date
    targets = tuple(_target(place, why[place], estimate(*place)) for place in places)
    reaches = _reaches(targets, contracts, order, statuses)
    affected = dict.fromkeys([*(item.dataset for item in targets), *(item.dataset for item in reaches)])
    right = sum(item.state is State.PUBLISHED and (item.dataset, item.partition) not in why for item in in_range)
    return Plan(
        plan_id=_plan_id(asked, targets, world, now),
        created_at=now,
        asked=asked,
        targets=targets,
        reaches=reaches,
        as_they_should_be=right,
        world=world,
        consumers=consumers_of(contracts, affected),
        chunking=chunking,
    )


def world_of(
    contracts: Mapping[str, Contract], fingerprints: Iterable[tuple[str, str, str]], code: str = CODE_VERSION
) -> str:
    """Return a digest of code, contracts and what landed (dataset, partition, fingerprint): a plan is for one world."""
    digest = hashlib.sha256(f"code {code}\n".encode())
    for name in sorted(contracts):
        digest.update(f"{name} {contracts[name].fingerprint}\n".encode())
    for item in sorted(fingerprints):
        digest.update(f"{' '.join(item)}\n".encode())
    return digest.hexdigest()[:16]


def _why(status: PartitionStatus, contract: Contract) -> str:
    if not status.changed:
        return _WHY[status.state]
    inputs = "files" if contract.transform_sql is None else "inputs"
    changed = [inputs if item is Change.FILES else str(item) for item in status.changed]
    return f"changed since: {', '.join(changed)}"


def _can_follow(
    name: str, inputs: Collection[str], built: Collection[Place], statuses: Sequence[PartitionStatus]
) -> set[str]:
    """Return the dates on which an input of a derived dataset is built and no other input will be missing."""
    states = {(item.dataset, item.partition): item.state for item in statuses}

    def is_there(place: Place) -> bool:
        return place in built or states.get(place) in _SHOWN

    days = {partition for dataset, partition in built if dataset in inputs}
    # What could be derived already has a status of its own, whatever the states of its inputs.
    return {day for day in days if (name, day) in states or all(is_there((source, day)) for source in inputs)}


def _target(place: Place, why: str, expected: Estimate) -> Target:
    return Target(
        dataset=place[0],
        partition=place[1],
        why=why,
        bytes_in=expected.bytes_in,
        objects=expected.objects,
        seconds=expected.seconds,
        usd=expected.usd,
    )


def _reaches(
    targets: Sequence[Target],
    contracts: Mapping[str, Contract],
    order: Sequence[str],
    statuses: Sequence[PartitionStatus],
) -> tuple[Reach, ...]:
    from sluice.derivation import inputs_of  # loads a SQL parser

    built = {item.place for item in targets}
    reaches = []
    for name in order:
        days = _can_follow(name, inputs_of(contracts[name], contracts), built, statuses)
        reached = {day for day in days if (name, day) not in built}
        if reached:
            reaches.append(Reach(dataset=name, partitions=tuple(sorted(reached)), owner=contracts[name].owner))
            built |= {(name, day) for day in reached}
    return tuple(reaches)


def _plan_id(asked: Asked, targets: Sequence[Target], world: str, now: datetime) -> str:
    text = f"{asked!r}{[item.place for item in targets]!r}{world}{now.isoformat()}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]
