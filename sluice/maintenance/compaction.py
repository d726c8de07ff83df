"""Which small files of which partitions are rewritten to fewer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sluice.maintenance.policy import MaintenancePolicy
    from sluice.maintenance.table_state import TableFile, TableState
    from sluice.version import Version


@dataclass(frozen=True, slots=True)
class Merge:
    """Files of one partition that become one; `version` is what the partition shows, before and after."""

    partition: str
    version: Version
    files: tuple[TableFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def records(self) -> int:
        return sum(file.records for file in self.files)


def choose_merges(state: TableState, policy: MaintenancePolicy, now: datetime) -> tuple[Merge, ...]:
    """Return what to merge; after it is done there is nothing to choose until more files come."""
    fresh = _fresh(state, policy, now)
    by_partition = groupby(
        sorted(state.files, key=lambda file: (file.partition, file.key)), lambda file: file.partition
    )
    return tuple(
        Merge(partition, state.held[partition].version, files)
        for partition, of_partition in by_partition
        if partition in state.held and partition not in fresh
        for files in _bins(of_partition, policy.target_file_bytes)
    )


def _fresh(state: TableState, policy: MaintenancePolicy, now: datetime) -> frozenset[str]:
    young = {item.snapshot_id for item in state.commits if now - item.committed_at < policy.compact_after}
    return frozenset(partition for partition, held in state.held.items() if held.snapshot_id in young)


def _bins(files: Iterable[TableFile], target_bytes: int) -> Iterator[tuple[TableFile, ...]]:
    """Yield neighbours among the small files that fit into one healthy file; a file of half the target is healthy."""
    found: list[TableFile] = []
    for file in files:
        if file.size_bytes >= target_bytes / 2:
            continue
        if _size(found) + file.size_bytes > target_bytes:
            yield from _several(found)
            found = []
        found.append(file)
    yield from _several(found)


def _several(files: Sequence[TableFile]) -> Iterator[tuple[TableFile, ...]]:
    if len(files) > 1:
        yield tuple(files)


def _size(files: Iterable[TableFile]) -> int:
    return sum(file.size_bytes for file in files)
