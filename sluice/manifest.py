"""The raw objects of one partition, and the fingerprint that names exactly that set of bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True, order=True)
class RawObject:
    """One immutable file in the raw zone. Its identity is key and ETag; `size` is in bytes as stored."""

    key: str
    etag: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """The raw objects of one partition, sorted by key. Build it with `build_manifest`."""

    dataset: str
    partition: str
    objects: tuple[RawObject, ...]

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits over the sorted (key, ETag) pairs: the raw partition's data version."""
        digest = hashlib.sha256()
        for item in self.objects:
            digest.update(f"{item.key}\0{item.etag}\0".encode())
        return digest.hexdigest()[:16]

    @property
    def size_bytes(self) -> int:
        return sum(item.size for item in self.objects)


def build_manifest(dataset: str, partition: str, objects: tuple[RawObject, ...]) -> Manifest:
    """Return the manifest of `objects`, whatever order they were listed in."""
    return Manifest(dataset, partition, tuple(sorted(objects)))
