"""What a headless run says while it works, and what it did when it is done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sluice.publishing import Effect

if TYPE_CHECKING:
    from sluice.arrivals import Sweep


class Event(StrEnum):
    WAITING = "waiting"  # for another runner, or for objects that are still being written
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """Something that just happened; `number` counts runs from 1, `total` is how many are known of so far."""

    event: Event
    dataset: str = ""
    partition: str = ""
    number: int = 0
    total: int = 0
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run. `effect` is what it did to the table, None when it failed; `error` says why.

    One that `is_held` was not launched: `error` says which breaker is open.
    """

    dataset: str
    partition: str
    effect: Effect | None
    seconds: float
    error: str | None = None
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What one invocation did. `killed` counts runs that an earlier one left unfinished; `seen` is the last sweep."""

    runs: tuple[RunResult, ...]
    killed: int
    seen: Sweep

    @property
    def failed(self) -> tuple[RunResult, ...]:
        return tuple(run for run in self.runs if run.error is not None and not run.is_held)

    @property
    def held(self) -> tuple[RunResult, ...]:
        return tuple(run for run in self.runs if run.is_held)

    @property
    def changed(self) -> tuple[RunResult, ...]:
        return tuple(run for run in self.runs if run.effect is Effect.COMMITTED)
