"""Makes one generated file and puts it where it was asked for; runs in worker processes, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.landing import Landed, land_bytes
from sluice.errors import LandingRefused
from sluice.generating import generate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from resources.object_store import ObjectStore
    from sluice.generating import FileOrder


@dataclass(frozen=True, slots=True)
class Target:
    """Where generated files go. Stores hold connections, which no other process can use: each opens its own."""

    open_store: Callable[[], ObjectStore]
    prefix: str
    scratch: Path


@dataclass(frozen=True, slots=True)
class GeneratedObject:
    """One object and what is in it; `bad` is by the reason that the contract rejects such records for."""

    key: str
    partition: str
    rows: int
    duplicates: int
    bad: Mapping[str, int]
    size_bytes: int
    landed: Landed


def land_generated(wanted: FileOrder, target: Target) -> GeneratedObject:
    """Make the object; raises LandingRefused when there is another one under its key."""
    made, key, store = generate(wanted), target.prefix + wanted.key, target.open_store()
    landed = land_bytes(store, made.body, key, target.scratch)
    if landed is Landed.ALREADY_THERE and _content(store, key) != made.body:
        raise LandingRefused(f"{key} is there already, from another order.", cure="Choose another --seed.")
    return GeneratedObject(key, wanted.day.isoformat(), made.rows, made.duplicates, made.bad, len(made.body), landed)


def _content(store: ObjectStore, key: str) -> bytes:
    with store.open(key) as present:
        return present.read()
