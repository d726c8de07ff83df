"""Publications and attempts in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from resources.memory_ledger.store import Place, Store
from sluice.history import Attempt, Published

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sluice.healing.failure import FailureClass


class MemoryPublications(Store):
    def __init__(self) -> None:
        super().__init__()
        self._publications: dict[Place, Published] = {}
        self._first_published: dict[Place, datetime] = {}

    def record(self, published: Published) -> None:
        place = (published.outcome.dataset, published.outcome.partition)
        with self._lock:
            self._publications[place] = published
            self._first_published.setdefault(place, published.published_at)

    def published(self, dataset: str, partition: str) -> Published | None:
        return self._publications.get((dataset, partition))

    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]:
        found = sorted(self._publications.items(), key=lambda item: item[0])
        return tuple(published for place, published in found if dataset is None or place[0] == dataset)

    def first_published(self, dataset: str) -> Mapping[str, datetime]:
        return {place[1]: found for place, found in self._first_published.items() if place[0] == dataset}

    def _published_version(self, dataset: str, partition: str) -> str | None:
        found = self.published(dataset, partition)
        return None if found is None else str(found.outcome.version)


class MemoryAttempts(MemoryPublications):
    def __init__(self) -> None:
        super().__init__()
        self._attempts: list[Attempt] = []

    def begin(self, dataset: str, partition: str, version: str, run_id: str, started_at: datetime) -> Attempt:
        with self._lock:
            same = [item for item in self._attempts if _is(item, dataset, partition) and item.version == version]
            for item in same:
                if item.run_id == run_id:
                    return item
            attempt = Attempt(dataset, partition, version, len(same) + 1, run_id, started_at)
            self._attempts.append(attempt)
        return attempt

    def end(
        self, attempt: Attempt, ended_at: datetime, error: str | None, failure_class: FailureClass | None = None
    ) -> None:
        with self._lock:
            self._attempts = [
                replace(item, ended_at=ended_at, error=error, failure_class=failure_class)
                if _is_same(item, attempt)
                else item
                for item in self._attempts
            ]

    def last_attempt(self, dataset: str, partition: str) -> Attempt | None:
        found = [item for item in self._attempts if _is(item, dataset, partition)]
        return found[-1] if found else None

    def attempts(self, dataset: str, partition: str, version: str) -> tuple[Attempt, ...]:
        return tuple(item for item in self._attempts if _is(item, dataset, partition) and item.version == version)

    def open_attempts(self) -> tuple[Attempt, ...]:
        return tuple(item for item in self._attempts if item.ended_at is None)

    def failed_attempts(self) -> tuple[Attempt, ...]:
        newest = {(item.dataset, item.partition): item for item in self._attempts}
        return tuple(
            item
            for place, item in sorted(newest.items(), key=lambda found: found[0])
            if item.error is not None and item.version != self._published_version(*place)
        )


def _is(attempt: Attempt, dataset: str, partition: str) -> bool:
    return (attempt.dataset, attempt.partition) == (dataset, partition)


def _is_same(one: Attempt, other: Attempt) -> bool:
    return _is(one, other.dataset, other.partition) and (one.version, one.number) == (other.version, other.number)
