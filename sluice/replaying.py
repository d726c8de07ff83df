"""Building partitions again from what they had at a time, and what showing them does to their table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sluice.errors import ReplayRefused
from sluice.rewinding import NOTHING, Rewind, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sluice.arrivals import Arrival
    from sluice.outcome import Outcome
    from sluice.publishing import Held
    from sluice.version import Version


@dataclass(frozen=True, slots=True)
class Return:
    """A partition built again from an earlier manifest. `newest` and `sequence` are those of its newest one."""

    outcome: Outcome
    newest: Version
    sequence: int

    @property
    def goes_back(self) -> bool:
        return self.outcome.version != self.newest


@dataclass(frozen=True, slots=True)
class Turn:
    """What a return does to a partition of its table.

    `taken_back` will not be published again by itself. `sequence` is the newest arrival's: whatever is known now does
    not undo the return, and what arrives later is newer.
    """

    partition: str
    shown: Version | None
    target: Version
    taken_back: frozenset[Version]
    sequence: int
    changes: bool
    goes_back: bool


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant with its zone; raises ReplayRefused."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ReplayRefused(
            problem=f'"{text}" is no instant', cure="Write one such as 2026-11-20T06:00:00Z."
        ) from error
    if instant.tzinfo is None:
        raise ReplayRefused(problem=f'"{text}" has no zone', cure="Write one behind it: 2026-11-20T06:00:00Z.")
    return instant.astimezone(UTC)


def noticed_by(instant: datetime, arrivals: Sequence[Arrival]) -> Arrival | None:
    """Return the newest of a partition's arrivals that was known then; None before the first that is remembered."""
    return max((item for item in arrivals if item.noticed_at <= instant), key=lambda item: item.sequence, default=None)


def turn(item: Return, held: Held | None, taken_back: frozenset[Version]) -> Turn:
    """Decide; `held` and `taken_back` are what the table says of the partition now.

    What is shown now is kept out as well as the newest version: a slow writer could still come with it.
    """
    target = item.outcome.version
    own = {held.version} if held is not None and held.stand_in is None else set()
    refused = {item.newest} | own if item.goes_back else set()
    marks = frozenset(taken_back | refused) - {target, NOTHING}
    sequence = max(item.sequence, held.sequence if held else 0)
    is_there = held is not None and (held.version, held.sequence) == (target, sequence)
    changes = not (is_there and marks == taken_back)
    shown = held.version if held else None
    return Turn(item.outcome.partition, shown, target, marks, sequence, changes, item.goes_back)


def as_rewind(dataset: str, turns: Iterable[Turn], newest: int | None) -> Rewind:
    """Return the turns as what a rewind writes down; one that leads to the newest manifest takes nothing back."""
    steps = (
        Step(item.partition, item.shown or NOTHING, item.target, item.taken_back if item.goes_back else frozenset())
        for item in turns
    )
    return Rewind(dataset, None, tuple(steps), newest)
