"""How much of a table's past is kept, and how large its files should be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class MaintenancePolicy:
    """The contract's `maintenance`.

    A snapshot stays while it is one of the newest `keep_snapshots` or younger than `keep_days`. Files that nothing
    refers to are removed after `grace` twice over: no run may take longer than it. Partitions that were published
    less than `compact_after` ago are still growing and are not compacted.
    """

    keep_snapshots: int = 50
    keep_days: int = 7
    target_file_bytes: int = 128_000_000
    compact_after: timedelta = timedelta(hours=24)
    grace: timedelta = timedelta(hours=24)
