"""Which files nobody refers to any more, and when they may go.

A file goes in two steps, at least a grace apart. First the claim that lists it is withdrawn, so that no run finds it
any more, and the file is condemned; a run that found it before has the grace to publish it. Then, if still nothing
refers to it, it is removed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sluice.outcome import OUTCOME_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime, timedelta

_ZONES = ("processed/", "quarantine/")
_NONE = frozenset[str]()


@dataclass(frozen=True, slots=True)
class StoredFile:
    key: str
    size_bytes: int
    modified_at: datetime

    @property
    def folder(self) -> str:
        return folder_of(self.key)

    @property
    def is_claim(self) -> bool:
        """Say whether it makes a version's files findable."""
        return self.key.endswith(f"/{OUTCOME_NAME}")

    @property
    def claim(self) -> str:
        """The key of the claim of its folder."""
        return f"{self.key.rpartition('/')[0]}/{OUTCOME_NAME}"

    @property
    def is_note(self) -> bool:
        """Say whether it lies beside a claim and is kept as long as that, as a profile is."""
        return self.key.rpartition("/")[2].startswith("_") and self.key.endswith(".json")

    @property
    def partition(self) -> str:
        """The part behind `date=`; empty for what lies beside all partitions."""
        return partition_of(self.key)


def partition_of(key: str) -> str:
    dates = (part for part in key.split("/") if part.startswith("date="))
    return next(dates, "").removeprefix("date=")


def folder_of(key: str) -> str:
    """Return the name of the folder: for what a version's claim lists, usually the version."""
    return key.rpartition("/")[0].rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Stored:
    """All files of a dataset outside of raw, and what its claims say (key -> text)."""

    files: tuple[StoredFile, ...]
    claims: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Needed:
    """Keys that something refers to, and the names of the folders (per partition) whose claims count."""

    keys: frozenset[str]
    names: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Sweep:
    """`condemned` says since when nothing refers to a file; `removed` are those of them whose grace has passed."""

    withdrawn: tuple[StoredFile, ...] = ()
    removed: tuple[StoredFile, ...] = ()
    condemned: Mapping[str, datetime] = field(default_factory=dict)
    condemned_bytes: int = 0
    unreadable: tuple[str, ...] = ()  # claims that nobody can read; their partitions are left alone


def judge_stored(
    stored: Stored, needed: Needed, condemned: Mapping[str, datetime], grace: timedelta, now: datetime
) -> Sweep:
    """`condemned` is what the last sweep came to."""
    old = tuple(file for file in stored.files if now - file.modified_at >= grace)
    live = _live_claims(stored, needed, old)
    unreadable = frozenset(key for key in live if not _is_json(stored.claims[key]))
    referenced = needed.keys.union(*(_mentioned_by(stored.claims[key]) for key in live - unreadable))
    untouched = {partition_of(key) for key in unreadable}
    needless = (file for file in old if file.partition not in untouched and file.key not in referenced)
    dead = [file for file in needless if file.key not in live and not (file.is_note and file.claim in live)]
    withdrawn = tuple(file for file in dead if file.is_claim)
    orphans = tuple(file for file in dead if not file.is_claim)
    found_till_now = _NONE.union(*(_mentioned_by(stored.claims[file.key]) for file in withdrawn))
    since = {file.key: now if file.key in found_till_now else condemned.get(file.key, now) for file in orphans}
    return Sweep(
        withdrawn=withdrawn,
        removed=tuple(file for file in orphans if now - since[file.key] >= grace),
        condemned=since,
        condemned_bytes=sum(file.size_bytes for file in orphans),
        unreadable=tuple(sorted(unreadable)),
    )


def _live_claims(stored: Stored, needed: Needed, old: Iterable[StoredFile]) -> frozenset[str]:
    """Return the claims that count; a young one does, too, for its run may be at work."""
    may_go = {file.key: file for file in old if file.is_claim}
    return frozenset(
        key
        for key in stored.claims
        if key not in may_go or may_go[key].folder in needed.names.get(may_go[key].partition, ())
    )


def _mentioned_by(text: str) -> frozenset[str]:
    """Return the keys that a claim lists, in whatever field; none if it cannot be read."""
    return frozenset(word for word in _texts(json.loads(text)) if word.startswith(_ZONES)) if _is_json(text) else _NONE


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, item in value.items():
                yield from _texts(key)
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)
        case _:  # numbers and the like
            return


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
