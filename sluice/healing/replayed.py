"""A failure beside the one that the same inputs gave again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluice.outcome import ReasonCount


@dataclass(frozen=True, slots=True)
class Seen:
    """What a try came to: `failure_class` is None when it did not fail, `reasons` when nothing was staged.

    `gates` are those that stopped it; `reasons` are "code column: records" of what was rejected.
    """

    failure_class: str | None
    gates: tuple[str, ...] = ()
    reasons: tuple[str, ...] | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    what: str
    then: str
    again: str


def reasons_of(counts: Iterable[ReasonCount]) -> tuple[str, ...]:
    """Return one line per reason code and column, summed over objects."""
    sums: dict[str, int] = {}
    for item in counts:
        name = f"{item.code} {item.column}" if item.column else item.code
        sums[name] = sums.get(name, 0) + item.records
    return tuple(f"{name}: {records:,}" for name, records in sorted(sums.items()))


def is_same(then: Seen, again: Seen) -> bool:
    """Whether it failed in the same way; the words of the evidence may name other times, numbers and paths."""
    reasons_agree = None in (then.reasons, again.reasons) or then.reasons == again.reasons
    return (then.failure_class, then.gates) == (again.failure_class, again.gates) and reasons_agree


def side_by_side(then: Seen, again: Seen) -> tuple[Compared, ...]:
    return (
        Compared("class", then.failure_class or "none", again.failure_class or "it did not fail"),
        Compared("gates", ", ".join(then.gates), ", ".join(again.gates)),
        Compared("rejected", _listed(then.reasons), _listed(again.reasons)),
        Compared("evidence", then.evidence.strip(), again.evidence.strip()),
    )


def _listed(reasons: tuple[str, ...] | None) -> str:
    return "not known" if reasons is None else ", ".join(reasons)
