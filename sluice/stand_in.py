"""What stands in for a partition that is not published in time: which one, from what, and the words for it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sluice.arrivals import RAW_ZONE, is_settled
from sluice.location import Location
from sluice.manifest import Manifest, RawObject, build_manifest
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from sluice.arrivals import Listed, RawStore
    from sluice.healing.incident import Incident
    from sluice.history import Published
    from sluice.outcome import Outcome

FALLBACK = "fallback"
PREVIOUS = "previous_partition"

LONGEST_AGO = timedelta(days=7)
"""Neither is a deadline served that passed longer ago, nor does a partition stand in for one so much younger."""


class Status(StrEnum):
    """What the column `_sluice_status` says; it is NULL in rows that are the partition's own data."""

    PLACEHOLDER = "placeholder"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a partition would be stood in for with. `key` names it exactly: other objects make another key."""

    text: str
    key: str


def status_of(stand_in: str) -> Status:
    """Read an outcome's `stand_in`; of several inputs that are stand-ins, a placeholder is the one to warn of."""
    return Status.PLACEHOLDER if PREVIOUS in stand_in else Status.FALLBACK


def placeholder_text(partition: str) -> str:
    return f"{PREVIOUS} {partition}"


def of_inputs(inputs: Mapping[str, str | None]) -> str | None:
    """Return the `stand_in` of what is derived from tables that show these; None if all show their own data."""
    texts = [f"{name}: {text}" for name, text in inputs.items() if text is not None]
    return "; ".join(texts) or None


def is_own(published: Published | None) -> bool:
    """Whether a partition shows rows of its own: neither a stand-in, nor nothing, as after a rewind to nothing."""
    return published is not None and published.outcome.stand_in is None and bool(published.outcome.files)


def previous(
    partition: str, published_days: Iterable[str], published: Callable[[str], Published | None]
) -> Published | None:
    """Return the newest earlier partition that shows rows of its own; `published_days` are asked newest first."""
    earliest = (date.fromisoformat(partition) - LONGEST_AGO).isoformat()
    for day in sorted((day for day in published_days if earliest <= day < partition), reverse=True):
        if is_own(found := published(day)):
            return found
    return None


def placeholder_basis(base: Published) -> Basis:
    return Basis(placeholder_text(base.outcome.partition), f"{base.outcome.partition} {base.outcome.version}")


def placeholder_manifest(partition: str, base: Published) -> Manifest:
    """Return what a placeholder is made of, as a manifest, so that its version says what it shows."""
    outcome = base.outcome
    key = f"tables/{outcome.dataset}/date={outcome.partition}"
    return build_manifest(outcome.dataset, partition, (RawObject(key, str(outcome.version), outcome.bytes_out),))


def fallback_objects(path: str, partition: str, store: RawStore, now: datetime) -> tuple[Listed, ...]:
    """Return what lies at the fallback location, by key; nothing while one of them is still being written."""
    location = Location.parse(path)
    listed = store.list(RAW_ZONE + location.key_prefix(partition))
    found = [item for item in listed if location.partition_of(item.key.removeprefix(RAW_ZONE)) == partition]
    if not all(is_settled(item, now) for item in found):
        return ()
    return tuple(sorted(found, key=lambda item: item.key))


def fallback_basis(objects: Iterable[Listed]) -> Basis:
    digest = hashlib.blake2b(digest_size=8)
    for item in objects:
        digest.update(f"{item.key}\0{item.stamp}\0".encode())
    return Basis(FALLBACK, f"{FALLBACK} {digest.hexdigest()}")


def fallback_manifest(dataset: str, partition: str, objects: Iterable[Listed], store: RawStore) -> Manifest:
    """Return the objects with their ETags; one that has vanished or changed since is left out."""
    known = ((item, store.etag(item.key, stamp=item.stamp)) for item in objects)
    return build_manifest(
        dataset, partition, tuple(RawObject(item.key, etag, item.size) for item, etag in known if etag is not None)
    )


def shown_text(outcome: Outcome) -> str:
    """Return what an incident says, such as `previous_partition 2026-11-19 stands in: 20 rows.`."""
    return f"{outcome.stand_in} stands in: {counted(outcome.published, 'row')}."


def missing_text(path: str | None, partition: str) -> str:
    """Say why nothing can stand in."""
    if path is None:
        return f"Nothing stands in: no partition of the {LONGEST_AGO.days} days before {partition} is published."
    return f"Nothing stands in: there is no file for {partition} at {path}."


def open_at(incidents: Iterable[Incident], partition: str) -> tuple[Incident, ...]:
    return tuple(item for item in incidents if item.partition == partition and item.resolved_at is None)
