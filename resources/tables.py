"""Port: published Iceberg tables. One commit makes a staged partition visible, or nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sluice.contract import Contract
    from sluice.outcome import Outcome
    from sluice.version import Version


@dataclass(frozen=True, slots=True)
class Held:
    """What a table shows for one partition: the version, and the arrival sequence of its manifest."""

    version: Version
    sequence: int
    snapshot_id: int


class Effect(StrEnum):
    COMMITTED = "committed"
    ALREADY_HELD = "already_held"  # the table showed this version before: nothing was written
    SUPERSEDED = "superseded"  # the table shows a newer manifest: nothing was written


@dataclass(frozen=True, slots=True)
class Publication:
    effect: Effect
    held: Held


class Tables(Protocol):
    def publish(self, contract: Contract, outcome: Outcome, sequence: int) -> Publication:
        """Replace the partition by the outcome's staged files in one commit, creating or evolving the table first.

        Raises PublishConflict after too many lost races and StagedFilesMissing when a staged file is gone.
        """

    def held(self, dataset: str, partition: str) -> Held | None:
        """Return what the table shows for a partition, or None when it was never published."""

    def files(self, dataset: str, partition: str | None = None) -> tuple[str, ...]:
        """Return the data files (paths or URLs) of the table's current snapshot."""
