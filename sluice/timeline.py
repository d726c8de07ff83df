"""What happened to datasets, in the order of time, as the ledger tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sluice.freshness.wording import span_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sluice.healing.failure import FailureClass
    from sluice.healing.incident import Incident, RemedyKind
    from sluice.history import Attempt, Published
    from sluice.judged import Judged

MOST_ATTEMPTS = 1_000
BY_SLUICE = "sluice"

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a timeline; `who` did it or saw it. Of class, remedy and outcome it has what it brought about."""

    at: datetime
    who: str
    what: str
    dataset: str = ""
    partition: str = ""
    failure_class: FailureClass | None = None
    remedy: RemedyKind | None = None
    outcome: str = ""


class Ledger(Protocol):
    def ended_attempts(self, most: int, *, dataset: str | None = None) -> tuple[Attempt, ...]: ...
    def open_attempts(self) -> tuple[Attempt, ...]: ...
    def incidents(self, dataset: str | None = None) -> tuple[Incident, ...]: ...
    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]: ...
    def blocking_verdicts(self) -> tuple[Judged, ...]: ...


def fetch_timeline(ledger: Ledger, datasets: Iterable[str]) -> tuple[Happening, ...]:
    """Return what the ledger knows of these datasets, oldest first."""
    names = set(datasets)
    found = [
        item
        for name in names
        for item in (
            *_of_attempts(ledger.ended_attempts(MOST_ATTEMPTS, dataset=name)),
            *_of_incidents(ledger.incidents(name)),
            *_of_publications(ledger.all_published(name)),
        )
    ]
    found += [item for item in _of_attempts(ledger.open_attempts()) if item.dataset in names]
    found += [item for item in _of_verdicts(ledger.blocking_verdicts()) if item.dataset in names]
    return in_order(found)


def in_order(happenings: Iterable[Happening]) -> tuple[Happening, ...]:
    """Sort by time; the order given stands among those of one moment."""
    return tuple(sorted(happenings, key=lambda item: item.at))


def _of_attempts(attempts: Sequence[Attempt]) -> Iterator[Happening]:
    for item in attempts:
        place = item.dataset, item.partition
        yield Happening(item.started_at, BY_SLUICE, f"attempt {item.number} begins", *place)
        if item.ended_at is None:
            continue
        if item.error is None:
            yield Happening(item.ended_at, BY_SLUICE, f"attempt {item.number} ends", *place, outcome="succeeded")
        else:
            told = f"attempt {item.number} ends: {_short(item.error)}{_asked(item)}"
            yield Happening(item.ended_at, BY_SLUICE, told, *place, item.failure_class, outcome="failed")


def _of_incidents(incidents: Sequence[Incident]) -> Iterator[Happening]:
    for item in incidents:
        place, name = (item.dataset, item.partition), f"incident {item.number}"
        told = f"{name} is opened: {_short(item.evidence)}"
        yield Happening(item.detected_at, BY_SLUICE, told, *place, item.failure_class, outcome="detected")
        for remedy in item.remedies:
            note = f"{name}: {_short(remedy.note)}" if remedy.note else name
            yield Happening(remedy.taken_at, BY_SLUICE, note, *place, remedy=remedy.kind)
        if item.resolved_at is not None:
            after = span_text(item.resolved_at - item.detected_at)
            told = f"{name} is closed by {item.resolved_by}, after {after}"
            yield Happening(item.resolved_at, BY_SLUICE, told, *place, outcome="resolved")


def _of_publications(published: Sequence[Published]) -> Iterator[Happening]:
    for item in published:
        outcome = item.outcome
        numbers = f"{outcome.published:,} published, {outcome.quarantined:,} quarantined"
        told = f"of {outcome.records_in:,} records {numbers}"
        if outcome.duplicates:
            told += f", {outcome.duplicates:,} duplicates"
        state = f"published: {outcome.stand_in} stands in" if outcome.stand_in else "published"
        yield Happening(item.published_at, BY_SLUICE, told, outcome.dataset, outcome.partition, outcome=state)


def _of_verdicts(judged: Sequence[Judged]) -> Iterator[Happening]:
    for item in judged:
        told = f"{item.gate}: {_short(item.verdict.explanation)}"
        yield Happening(item.judged_at, BY_SLUICE, told, item.dataset, item.partition, outcome="blocked")


def _asked(attempt: Attempt) -> str:
    return "" if attempt.retry_after is None else f" (asked to wait {span_text(attempt.retry_after)})"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."
