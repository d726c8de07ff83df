"""What a gate is, and what it says about one partition."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sluice.contract import Contract
    from sluice.gates.evidence import RawEvidence, StagedEvidence

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a gate holds, why in one sentence, and what it was judged by.

    `threshold` is the limit as people read it, `origin` says where the limit came from (the contract, a default, what
    was learned from which partitions). A verdict that does not hold only warns when `may_block` is False: too little
    is known. `facts` are what was seen besides numbers; `sample` shows at most ten offenders, one row each.
    """

    holds: bool
    explanation: str
    numbers: Mapping[str, int | float]
    threshold: str = ""
    origin: str = ""
    may_block: bool = True
    facts: Mapping[str, str] = field(default_factory=dict)
    sample: tuple[Mapping[str, Cell], ...] = ()


class Severity(StrEnum):
    """What happens when a gate does not hold."""

    BLOCK = "block"  # the run stops; what was published before stays
    WARN = "warn"  # the partition is published; Dagster shows the warning
    OFF = "off"  # not judged


def _always(_: Contract) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A rule that must hold. `name` reads as a fact; `cure` is what to do when it does not hold.

    `applies` says whether a dataset has this gate at all; `severity` is what its contract may change; a person may
    accept a partition in spite of it (`sluice accept`) only if it is `acceptable`.
    """

    name: str
    description: str
    cure: str
    applies: Callable[[Contract], bool] = _always
    severity: Severity = Severity.BLOCK
    acceptable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RawGate(Gate):
    """Judged before the transform spends anything."""

    judge: Callable[[RawEvidence], Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedGate(Gate):
    """Judged on what is staged, before it is published."""

    judge: Callable[[StagedEvidence], Verdict]
