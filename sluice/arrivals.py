"""What has landed: a listing of the raw zone, compared with what is known, gives news per partition."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from sluice.location import Location
from sluice.manifest import Manifest, RawObject, build_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sluice.contract import Contract

RAW_ZONE = "raw/"

SETTLE = timedelta(seconds=1)
"""How long an object must have been left alone before it counts: its writer may still be at work."""

_AHEAD = timedelta(minutes=1)
"""What is this much younger than the listing's `now`, or less, was written after that; beyond it, a clock is wrong."""


@dataclass(frozen=True, slots=True)
class KnownObject:
    """An object as it was when it was last noticed; `stamp` is the store's cheap change token."""

    key: str
    size: int
    stamp: str
    etag: str


@dataclass(frozen=True, slots=True)
class Noticed:
    """A manifest that arrived. `sequence` grows over all datasets: a partition's later manifest has a larger one."""

    sequence: int
    manifest: Manifest
    noticed_at: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """One manifest of a partition's history, without its objects."""

    sequence: int
    fingerprint: str
    noticed_at: datetime


class Listed(Protocol):
    """One object as the store lists it."""

    @property
    def key(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def stamp(self) -> str: ...
    @property
    def modified_at(self) -> datetime: ...


class RawStore(Protocol):
    def list(self, prefix: str) -> Iterator[Listed]: ...
    def etag(self, key: str, *, stamp: str | None = None) -> str | None: ...


class ArrivalsLedger(Protocol):
    def listing_digests(self, dataset: str) -> Mapping[str, str]: ...
    def known_objects(self, dataset: str, partition: str) -> tuple[KnownObject, ...]: ...
    def notice(
        self, manifest: Manifest, objects: tuple[KnownObject, ...], listing_digest: str, noticed_at: datetime
    ) -> Noticed: ...
    def latest(self, dataset: str, partition: str) -> Noticed | None: ...


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one look at the whole raw zone came to.

    `unsettled` objects were touched a moment ago and wait for the next sweep. `outside` are (dataset, partition) before
    the dataset's start or after today: nothing is noted of them, so they appear by themselves once they are in range.
    `strays` are keys that no dataset's location matches. Keys are the store's: they begin with `raw/`.
    """

    noticed: tuple[Noticed, ...]
    partitions: int
    unsettled: tuple[str, ...]
    outside: tuple[tuple[str, str], ...]
    strays: tuple[str, ...]


def sweep_raw_zone(
    contracts: Iterable[Contract],
    store: RawStore,
    ledger: ArrivalsLedger,
    now: datetime,
    *,
    settle: timedelta = SETTLE,
) -> Sweep:
    """Notice every partition whose objects are new or changed; removals alone are not news.

    Costs one listing, one query per dataset, and one hash per new or changed object.
    """
    landed = {contract.dataset: contract for contract in contracts if contract.source}
    grouped, strays = _by_partition(landed.values(), store)
    inside = {place: found for place, found in grouped.items() if _is_in_range(landed[place[0]], place[1], now)}
    unsettled = [item.key for found in inside.values() for item in found if not is_settled(item, now, settle)]
    waiting = frozenset(unsettled)
    digests = {dataset: ledger.listing_digests(dataset) for dataset in landed}
    noticed = [
        _notice(place, found, store, ledger, now, removals_count=False, settle=settle)
        for place, found in sorted(inside.items())
        if _digest(item for item in found if item.key not in waiting) != digests[place[0]].get(place[1])
    ]
    return Sweep(
        noticed=tuple(item for item in noticed if item is not None),
        partitions=len(inside),
        unsettled=tuple(unsettled),
        outside=tuple(sorted(grouped.keys() - inside.keys())),
        strays=tuple(strays),
    )


def sweep_partition(
    contract: Contract, partition: str, store: RawStore, ledger: ArrivalsLedger, now: datetime
) -> Noticed | None:
    """Notice one partition exactly as it is now, removals included; None when nothing is there."""
    found = _present(contract, partition, store)
    if contract.source is None or not found:
        return None
    settle = timedelta(0) if contract.source.pull else SETTLE  # pages are put there whole
    return _notice((contract.dataset, partition), found, store, ledger, now, removals_count=True, settle=settle)


def notice_news(
    contract: Contract, partition: str, store: RawStore, ledger: ArrivalsLedger, now: datetime
) -> Noticed | None:
    """Notice one partition of which an event tells; None when that is no news.

    An object that an event tells of is whole, so nothing has to settle.
    """
    if not _is_in_range(contract, partition, now):
        return None
    found = _present(contract, partition, store)
    if not found or _digest(found) == ledger.listing_digests(contract.dataset).get(partition):
        return None
    place = (contract.dataset, partition)
    return _notice(place, found, store, ledger, now, removals_count=False, settle=timedelta(0))


@dataclass(frozen=True, slots=True)
class Places:
    """The (dataset, partition) an object belongs to; `is_known` also where it is there to stand in for another."""

    places: tuple[tuple[str, str], ...]
    is_known: bool


def places_of(key: str, contracts: Iterable[Contract]) -> Places:
    """Return where an object belongs; the key is below the raw zone."""
    declared = list(contracts)
    landed = [(c.dataset, Location.parse(c.source.pattern)) for c in declared if c.source]
    fallbacks = [
        Location.parse(c.healing.stand_in.path) for c in declared if c.healing.stand_in and c.healing.stand_in.path
    ]
    places = tuple((dataset, day) for dataset, location in landed if (day := location.partition_of(key)))
    return Places(places, bool(places) or any(location.partition_of(key) for location in fallbacks))


def _present(contract: Contract, partition: str, store: RawStore) -> list[Listed]:
    if contract.source is None:
        return []
    location = Location.parse(contract.source.pattern)
    listed = store.list(RAW_ZONE + location.key_prefix(partition))
    return [item for item in listed if location.partition_of(item.key.removeprefix(RAW_ZONE)) == partition]


def is_settled(item: Listed, now: datetime, settle: timedelta = SETTLE) -> bool:
    """Tell whether the object has been left alone for long enough; `now` is a time before it was listed."""
    # A time far in the future (a skewed or copied clock) says nothing; waiting for it could take for ever.
    return not settle or not -_AHEAD < now - item.modified_at < settle


def _by_partition(
    contracts: Iterable[Contract], store: RawStore
) -> tuple[Mapping[tuple[str, str], Sequence[Listed]], Sequence[str]]:
    # Every location begins with a constant folder, so a key is tried against few of them.
    locations: dict[str, list[tuple[str, Location]]] = defaultdict(list)
    fallbacks: dict[str, list[Location]] = defaultdict(list)
    for contract in contracts:
        if contract.source:
            location = Location.parse(contract.source.pattern)
            locations[location.pattern.partition("/")[0]].append((contract.dataset, location))
        if contract.healing.stand_in and contract.healing.stand_in.path:
            location = Location.parse(contract.healing.stand_in.path)
            fallbacks[location.pattern.partition("/")[0]].append(location)
    grouped: dict[tuple[str, str], list[Listed]] = defaultdict(list)
    strays = []
    for item in store.list(RAW_ZONE):
        key = item.key.removeprefix(RAW_ZONE)
        candidates = locations.get(key.partition("/")[0], ())
        places = [(dataset, day) for dataset, location in candidates if (day := location.partition_of(key))]
        if not places and not any(location.partition_of(key) for location in fallbacks.get(key.partition("/")[0], ())):
            strays.append(item.key)
        for place in places:
            grouped[place].append(item)
    return grouped, strays


def _is_in_range(contract: Contract, partition: str, now: datetime) -> bool:
    return contract.start.isoformat() <= partition <= now.date().isoformat()


def _notice(
    place: tuple[str, str],
    found: Sequence[Listed],
    store: RawStore,
    ledger: ArrivalsLedger,
    now: datetime,
    *,
    removals_count: bool,
    settle: timedelta,
) -> Noticed | None:
    known = {item.key: item for item in ledger.known_objects(*place)}
    settled = [item for item in found if is_settled(item, now, settle)]
    present = _identify(settled, known, store)
    still_there = {item.key for item in present}
    if any(item.key in known and item.key not in still_there for item in found):
        return None if not removals_count else ledger.latest(*place)  # an overwrite is under way: all of it next time
    if not present:
        return None
    removed = [known[key] for key in known.keys() - still_there]
    if not removals_count and not _has_news(present, known):
        present = [*present, *removed]  # keeps the fingerprint; the new digest says that this was looked at
    manifest = build_manifest(*place, tuple(RawObject(item.key, item.etag, item.size) for item in present))
    return ledger.notice(manifest, tuple(present), _digest(settled), now)


def _identify(settled: Sequence[Listed], known: Mapping[str, KnownObject], store: RawStore) -> list[KnownObject]:
    """Give each object its ETag: the known one while its stamp is the same, else the store's.

    What has vanished or changed since it was listed drops: beside the others it would be a state that never was.
    """
    identified = []
    for item in settled:
        before = known.get(item.key)
        etag = before.etag if before and before.stamp == item.stamp else store.etag(item.key, stamp=item.stamp)
        if etag is not None:
            identified.append(KnownObject(item.key, item.size, item.stamp, etag))
    return identified


def _has_news(present: Iterable[KnownObject], known: Mapping[str, KnownObject]) -> bool:
    return any(item.key not in known or known[item.key].etag != item.etag for item in present)


def _digest(found: Iterable[Listed]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for item in found:
        digest.update(f"{item.key}\0{item.stamp}\0".encode())
    return digest.hexdigest()
