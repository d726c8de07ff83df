"""A fragment at hand: where its files can be opened, and what its objects came to among themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sluice.outcome import FieldDrift, Fragment, ObjectBalance, Outcome, ReasonCount, StagedFile
    from sluice.transform import Transformed


@dataclass(frozen=True, slots=True)
class Piece:
    """`objects` are in the order of their keys, and numbers of objects in its files are places in it.

    Paths are None where a file would hold nothing. `taken_over` is the fragment that this was in an earlier outcome;
    the files of a piece without one are new and local.
    """

    objects: tuple[ObjectBalance, ...]
    published: str | None
    keys: str | None
    quarantine: str | None
    keyed: int
    size_bytes: int
    reasons: tuple[ReasonCount, ...] = ()
    drift: tuple[FieldDrift, ...] = ()
    unknown_fields: tuple[str, ...] = ()
    taken_over: Fragment | None = None


def new_piece(done: Transformed) -> Piece:
    published = done.published if done.records_published else None
    keyed = rows_of(done.keys) if done.keys else 0
    return Piece(
        objects=done.objects,
        published=str(published) if published else None,
        keys=str(done.keys) if keyed else None,
        quarantine=str(done.quarantine) if done.records_quarantined else None,
        keyed=keyed,
        size_bytes=published.stat().st_size if published else 0,
        reasons=done.reasons,
        drift=done.drift,
        unknown_fields=done.unknown_fields,
    )


def old_piece(outcome: Outcome, fragment: Fragment, uri: Callable[[str], str]) -> Piece:
    """Return a fragment of an earlier outcome as it was before records of others superseded some of its own."""
    objects = tuple(_own(outcome.objects[place], fragment.lost.get(place, 0)) for place in fragment.objects)
    keys = {item.key for item in objects}
    return Piece(
        objects=objects,
        published=_opened(fragment.file, uri),
        keys=_opened(fragment.keys, uri),
        quarantine=_opened(fragment.quarantine, uri),
        keyed=fragment.keys.records if fragment.keys else 0,
        size_bytes=fragment.file.size_bytes if fragment.file else 0,
        reasons=tuple(item for item in outcome.reasons if item.key in keys),
        drift=tuple(item for item in outcome.drift if item.key in keys),
        unknown_fields=fragment.unknown_fields,
        taken_over=fragment,
    )


def without(balance: ObjectBalance, lost: int) -> ObjectBalance:
    """Return an object's balance after so many of its published records were superseded."""
    if not lost:
        return balance
    return balance.model_copy(update={"published": balance.published - lost, "duplicates": balance.duplicates + lost})


def rows_of(path: Path) -> int:
    return pq.read_metadata(path).num_rows


def _own(balance: ObjectBalance, lost: int) -> ObjectBalance:
    return without(balance, -lost)


def _opened(file: StagedFile | None, uri: Callable[[str], str]) -> str | None:
    return uri(file.key) if file else None
