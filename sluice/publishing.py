"""Whether a staged partition may replace what its table shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class Held:
    """What a table shows for one partition: the version, and the arrival sequence of its manifest.

    `stand_in` says what these rows are, if they are not the partition's own data.
    """

    version: Version
    sequence: int
    snapshot_id: int
    stand_in: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.version} {self.sequence} {self.snapshot_id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote; raises ValueError on anything else."""
        version, sequence, snapshot_id = text.split(" ")
        return cls(Version.parse(version), int(sequence), int(snapshot_id))


class Effect(StrEnum):
    COMMITTED = "committed"
    ALREADY_HELD = "already_held"  # the table showed this version before: nothing was written
    SUPERSEDED = "superseded"  # the table shows a newer manifest: nothing was written
    REWOUND = "rewound"  # the version was taken back from this table by a rewind: nothing was written


def decide_publication(
    held: Held | None, version: Version, sequence: int, taken_back: Collection[Version] = ()
) -> Effect:
    """Say what publishing `version`, built from the manifest that arrived as `sequence`, does to a partition.

    A version that was `taken_back` does not come back, however often it is delivered; another one does.
    A version that returns (manifest A, then B, then A again) is committed once more although the table shows it: the
    table then holds the larger sequence, so that a slow writer of B still finds itself superseded.
    """
    if version in taken_back:
        return Effect.REWOUND
    if held is None or held.sequence < sequence:
        return Effect.COMMITTED
    if held.sequence > sequence:
        return Effect.SUPERSEDED
    return Effect.ALREADY_HELD if held.version == version else Effect.COMMITTED
