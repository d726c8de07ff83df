"""What a gate says about one outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sluice.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a gate holds, why in one sentence, and the numbers it was judged by."""

    holds: bool
    explanation: str
    numbers: Mapping[str, int | float]


@dataclass(frozen=True, slots=True)
class Gate:
    """A rule that must hold before publication. `name` reads as a fact; `cure` is what to do when it does not hold."""

    name: str
    description: str
    cure: str
    judge: Callable[[Outcome], Verdict]
