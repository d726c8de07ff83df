"""The ledger of one process, for tests and drills."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from resources.arrival_order import check_objects, next_sequence
from resources.ledger import Attempt, KnownObject, Noticed, Published

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sluice.manifest import Manifest

_Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Arrival:
    noticed: Noticed
    objects: tuple[KnownObject, ...]
    listing_digest: str


class MemoryLedger:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sequence = 0
        self._arrivals: dict[_Place, _Arrival] = {}
        self._publications: dict[_Place, Published] = {}
        self._attempts: list[Attempt] = []

    def listing_digests(self, dataset: str) -> Mapping[str, str]:
        return {place[1]: found.listing_digest for place, found in self._arrivals.items() if place[0] == dataset}

    def known_objects(self, dataset: str, partition: str) -> tuple[KnownObject, ...]:
        found = self._arrivals.get((dataset, partition))
        return () if found is None else found.objects

    def notice(
        self, manifest: Manifest, objects: tuple[KnownObject, ...], listing_digest: str, noticed_at: datetime
    ) -> Noticed:
        check_objects(manifest, objects)
        place = (manifest.dataset, manifest.partition)
        with self._lock:
            found = self._arrivals.get(place)
            if found is not None and found.noticed.manifest.fingerprint == manifest.fingerprint:
                noticed = replace(found.noticed, manifest=manifest)
            else:
                self._sequence = next_sequence(self._sequence, noticed_at)
                noticed = Noticed(self._sequence, manifest, noticed_at)
            in_order = tuple(sorted(objects, key=lambda item: item.key))
            self._arrivals[place] = _Arrival(noticed, in_order, listing_digest)
        return noticed

    def latest(self, dataset: str, partition: str) -> Noticed | None:
        found = self._arrivals.get((dataset, partition))
        return None if found is None else found.noticed

    def noticed_after(self, sequence: int) -> tuple[Noticed, ...]:
        newer = [found.noticed for found in self._arrivals.values() if found.noticed.sequence > sequence]
        return tuple(sorted(newer, key=lambda noticed: noticed.sequence))

    def record(self, published: Published) -> None:
        self._publications[published.outcome.dataset, published.outcome.partition] = published

    def published(self, dataset: str, partition: str) -> Published | None:
        return self._publications.get((dataset, partition))

    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]:
        found = sorted(self._publications.items(), key=lambda item: item[0])
        return tuple(published for place, published in found if dataset is None or place[0] == dataset)

    def begin(self, dataset: str, partition: str, version: str, run_id: str, started_at: datetime) -> Attempt:
        with self._lock:
            same = [item for item in self._attempts if _is(item, dataset, partition) and item.version == version]
            for item in same:
                if item.run_id == run_id:
                    return item
            attempt = Attempt(dataset, partition, version, len(same) + 1, run_id, started_at)
            self._attempts.append(attempt)
        return attempt

    def end(self, attempt: Attempt, ended_at: datetime, error: str | None) -> None:
        with self._lock:
            self._attempts = [
                replace(item, ended_at=ended_at, error=error) if _is_same(item, attempt) else item
                for item in self._attempts
            ]

    def last_attempt(self, dataset: str, partition: str) -> Attempt | None:
        found = [item for item in self._attempts if _is(item, dataset, partition)]
        return found[-1] if found else None


def _is(attempt: Attempt, dataset: str, partition: str) -> bool:
    return (attempt.dataset, attempt.partition) == (dataset, partition)


def _is_same(one: Attempt, other: Attempt) -> bool:
    return _is(one, other.dataset, other.partition) and (one.version, one.number) == (other.version, other.number)
