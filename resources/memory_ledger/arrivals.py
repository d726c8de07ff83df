"""Arrivals in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from resources.arrival_order import check_objects, next_sequence
from resources.memory_ledger.store import Place, Store
from sluice.arrivals import Arrival, KnownObject, Noticed
from sluice.manifest import build_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sluice.manifest import Manifest


@dataclass(frozen=True, slots=True)
class _Arrival:
    noticed: Noticed
    objects: tuple[KnownObject, ...]
    listing_digest: str


class MemoryArrivals(Store):
    def __init__(self) -> None:
        super().__init__()
        self._sequence = 0
        self._arrivals: dict[Place, _Arrival] = {}
        self._all: dict[Place, list[Noticed]] = {}

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
                self._all.setdefault(place, []).append(noticed)
            in_order = tuple(sorted(objects, key=lambda item: item.key))
            self._arrivals[place] = _Arrival(noticed, in_order, listing_digest)
        return noticed

    def latest(self, dataset: str, partition: str) -> Noticed | None:
        found = self._arrivals.get((dataset, partition))
        return None if found is None else found.noticed

    def noticed_after(self, sequence: int) -> tuple[Noticed, ...]:
        newer = [found.noticed for found in self._arrivals.values() if found.noticed.sequence > sequence]
        return tuple(sorted(newer, key=lambda noticed: noticed.sequence))

    def arrivals(self, dataset: str, partition: str) -> tuple[Arrival, ...]:
        known = self._all.get((dataset, partition), ())
        return tuple(Arrival(item.sequence, item.manifest.fingerprint, item.noticed_at) for item in known)

    def manifest_at(self, dataset: str, partition: str, sequence: int) -> Manifest:
        known = [item for item in self._all.get((dataset, partition), ()) if item.sequence <= sequence]
        return known[-1].manifest if known else build_manifest(dataset, partition, ())
