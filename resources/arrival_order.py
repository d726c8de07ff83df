"""How a ledger numbers arrivals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.manifest import RawObject, build_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sluice.arrivals import KnownObject
    from sluice.manifest import Manifest


def next_sequence(last: int, noticed_at: datetime) -> int:
    """Return a number above `last`, in milliseconds since 1970 unless the clock went back.

    A ledger that was lost and begins anew thus numbers on where the old one stopped: tables remember the sequence they
    hold and refuse smaller ones.
    """
    return max(last + 1, int(noticed_at.timestamp() * 1000))


def manifest_of(dataset: str, partition: str, objects: Iterable[KnownObject]) -> Manifest:
    return build_manifest(dataset, partition, tuple(RawObject(item.key, item.etag, item.size) for item in objects))


def check_objects(manifest: Manifest, objects: Iterable[KnownObject]) -> None:
    """Raise ValueError unless `objects` are those of the manifest: a ledger keeps them once, for both."""
    if manifest_of(manifest.dataset, manifest.partition, objects) != manifest:
        raise ValueError(f"The objects are not those of the manifest of {manifest.dataset} {manifest.partition}.")
