"""Port: published Iceberg tables. One commit makes a staged partition visible, or nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sluice.publishing import Effect, Held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from sluice.contract import Contract
    from sluice.outcome import Outcome
    from sluice.replaying import Return
    from sluice.rewinding import Point, Rewind
    from sluice.version import Version

__all__ = [
    "Contents",
    "Effect",
    "Held",
    "Publication",
    "ReadableTables",
    "ReplayableTables",
    "RewindableTables",
    "Tables",
]


@dataclass(frozen=True, slots=True)
class Publication:
    effect: Effect
    held: Held


class Tables(Protocol):
    def publish(self, contract: Contract, outcome: Outcome, sequence: int) -> Publication:
        """Replace the partition by the outcome's staged files in one commit, creating or evolving the table first.

        Raises PublishConflict after too many lost races, StagedFilesMissing when a staged file is gone, and
        TableIncompatible when the contract gives a column a type that the table cannot take on.
        """

    def held(self, dataset: str, partition: str) -> Held | None:
        """Return what the table shows for a partition, a stand-in included; None when it was never published."""

    def files(self, dataset: str, partition: str | None = None) -> tuple[str, ...]:
        """Return the data files (paths or URLs) of the table's current snapshot."""

    def column_bytes(self, dataset: str) -> Mapping[str, Mapping[str, int]]:
        """Return partition -> top-level column -> compressed bytes, those of nested columns summed, from metadata."""


class RewindableTables(Protocol):
    """Published data that can go back to what it was; a point is a snapshot, an instant or a run."""

    def plan_rewind(self, dataset: str, point: Point, partition: str | None = None) -> Rewind:
        """Return what a rewind would do; raises RewindRefused and TableUnknown."""

    def rewind(self, dataset: str, point: Point, partition: str | None = None, *, why: str, rewound_by: str) -> Rewind:
        """Do it for one partition or for all, in one commit, and return what was done.

        Doing it again changes nothing. Raises RewindRefused, TableUnknown, and PublishConflict after too many lost
        races.
        """

    def taken_back(self, dataset: str) -> Mapping[str, frozenset[Version]]:
        """Return partition -> versions that rewinds took back, which `publish` answers with Effect.REWOUND."""


class ReplayableTables(Protocol):
    """Published data that can be shown as it would have been built from an earlier manifest."""

    def replay(
        self, contract: Contract, returns: Sequence[Return], *, as_of: datetime, why: str, replayed_by: str
    ) -> Rewind:
        """Show the staged outcomes in one commit, whatever is newer, and return what was done, partition by partition.

        What was known when it was done does not undo it; what arrives later does. Doing it again changes nothing.
        Raises StagedFilesMissing, TableIncompatible, and PublishConflict after too many lost races.
        """


@dataclass(frozen=True, slots=True)
class Contents:
    """One snapshot of a table: its columns, which are not in all of its files, and the files (paths or URLs)."""

    schema: pa.Schema
    files: tuple[str, ...]


class ReadableTables(Protocol):
    """What a query needs to know of published tables."""

    def names(self) -> tuple[str, ...]:
        """Return the datasets that have a table."""

    def contents(self, dataset: str) -> Contents:
        """Return what a table shows now; raises TableUnknown."""
