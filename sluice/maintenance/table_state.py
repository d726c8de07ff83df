"""What maintenance needs to know of one table, read at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.publishing import Held
    from sluice.rewinding import Commit


@dataclass(frozen=True, slots=True)
class TableFile:
    """One data file that a table shows; `key` is its key in the object store."""

    partition: str
    key: str
    records: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class TableState:
    """`commits` are the snapshots that are still known, oldest first, and `pinned` those that a tag or branch names.

    `showed` are versions (partition -> their text) that a known snapshot shows although their own commit is forgotten.
    `folder` is the prefix of the keys where its metadata lie; None when they are not in the object store.
    """

    dataset: str
    held: Mapping[str, Held]
    files: tuple[TableFile, ...]
    commits: tuple[Commit, ...]
    metadata_bytes: int = 0
    folder: str | None = None
    pinned: frozenset[int] = field(default_factory=frozenset)
    showed: Mapping[str, frozenset[str]] = field(default_factory=dict)
