"""Publications and attempts in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from resources.memory_ledger.store import Place, Store
from sluice.history import Attempt, Published

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

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
            if published.outcome.stand_in is None:
                self._first_published.setdefault(place, published.published_at)

    def record_stand_in(self, published: Published) -> bool:
        place = (published.outcome.dataset, published.outcome.partition)
        with self._lock:
            known = self._publications.get(place)
            if known is not None and known.outcome.stand_in is None:
                return False
            self._publications[place] = published
        return True

    def amend(self, before: Published, after: Published) -> bool:
        place = (before.outcome.dataset, before.outcome.partition)
        with self._lock:
            known = self._publications.get(place)
            if known is None or known.outcome != before.outcome:
                return False
            self._publications[place] = after
        return True

    def published(self, dataset: str, partition: str) -> Published | None:
        return self._publications.get((dataset, partition))

    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]:
        found = sorted(self._publications.items(), key=lambda item: item[0])
        return tuple(published for place, published in found if dataset is None or place[0] == dataset)

    def published_under_others(self, dataset: str, contract: str) -> tuple[Published, ...]:
        return tuple(item for item in self.all_published(dataset) if item.outcome.contract_fingerprint != contract)

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
        self,
        attempt: Attempt,
        ended_at: datetime,
        error: str | None,
        failure_class: FailureClass | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        with self._lock:
            self._attempts = [
                replace(item, ended_at=ended_at, error=error, failure_class=failure_class, retry_after=retry_after)
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

    def ended_attempts(
        self, most: int, *, dataset: str | None = None, failure_class: FailureClass | None = None
    ) -> tuple[Attempt, ...]:
        ended = [
            (item.ended_at, number, item)
            for number, item in enumerate(self._attempts)
            if item.ended_at is not None
            and dataset in {None, item.dataset}
            and (failure_class is None or item.error is None or item.failure_class is failure_class)
        ]
        return tuple(item for _, _, item in sorted(ended, key=lambda found: found[:2], reverse=True)[:most])

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
