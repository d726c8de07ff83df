"""Takes partitions of an Iceberg table back to files that an older snapshot lists, in one commit."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pyiceberg.utils.datetime import days_to_date

from resources.partition_overwrite import PartitionOverwrite, PartitionTransaction
from resources.table_stand_ins import note_rewound
from sluice.errors import RewindRefused
from sluice.publishing import Held
from sluice.rewinding import Commit, Rewind, Shown, locate, plan_rewind
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pyiceberg.io import FileIO
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table, Transaction
    from pyiceberg.table.snapshots import Snapshot

    from sluice.rewinding import Point

HELD = "sluice.held."
"""Table property per partition: what it shows. Set in the commit that shows it, so that one read answers for a
partition without rows too; 3,650 of them add 0.3 MB to the metadata file."""

_TAKEN_BACK = "sluice.rewound."
"""Table property per partition: the versions that rewinds took back. Publishing leaves them alone."""

SHOWED = "sluice.showed."
"""Snapshot property per partition that a commit changed: the version that it showed before. It answers when the
commit of that version is forgotten, for a file may lie in the folder of an older version that read it first."""

SHOWS = "sluice.shows."
"""Snapshot property per partition that a rewind changed: the version that it shows since."""


def fetch_shown(table: Table) -> Shown:
    held = _of_partitions(table.properties, HELD)
    return Shown(
        {partition: Held.parse(text) for partition, text in held.items()},
        {partition: taken_back(table, partition) for partition in _of_partitions(table.properties, _TAKEN_BACK)},
    )


def taken_back(table: Table, partition: str) -> frozenset[Version]:
    """Return the versions that may not be published to a partition again."""
    return frozenset(Version.parse(text) for text in table.properties.get(_TAKEN_BACK + partition, "").split())


def fetch_rewind(table: Table, dataset: str, point: Point, partition: str | None) -> Rewind:
    """Plan from the table alone; raises RewindRefused."""
    commits = known_commits(table)
    snapshot_id = locate(point, commits)
    rewind = plan_rewind(
        dataset, snapshot_id, commits, fetch_shown(table), _files_say(_files_at(table, snapshot_id)), partition
    )
    _check_present(table.io, _files_to_show(table, rewind))
    return rewind


def prepare_rewind(
    table: Table, rewind: Rewind, *, why: str, rewound_by: str
) -> tuple[Transaction, Mapping[str, Held]]:
    """Stage the whole commit and return it with what the partitions hold after it.

    It forgets no snapshot: the one that is gone back to must be known if the command has to be repeated.
    """
    transaction, shown = PartitionTransaction(table), fetch_shown(table)
    partitions = {step.partition for step in rewind.changes}
    overwrite = PartitionOverwrite(
        transaction,
        table.io,
        _snapshot_properties(rewind, why, rewound_by),
        _of(_current_files(table), partitions),
        _files_to_show(table, rewind),
    )
    overwrite.commit()
    # The sequence stays: a slow writer of an older manifest is still superseded, a newer manifest still wins.
    held = {
        step.partition: Held(step.target, shown.held[step.partition].sequence, overwrite.snapshot_id)
        for step in rewind.changes
    }
    transaction.set_properties({HELD + partition: str(item) for partition, item in held.items()})
    mark_taken_back(transaction, {step.partition: step.taken_back for step in rewind.changes}, shown)
    for step in rewind.changes:
        note_rewound(transaction, step.partition, step.target)
    return transaction, held


def mark_taken_back(transaction: Transaction, versions: Mapping[str, Collection[Version]], shown: Shown) -> None:
    """Stage which versions (by partition) are not to be published again; none lifts the mark of a partition."""
    marks = {partition: " ".join(sorted(map(str, items))) for partition, items in versions.items()}
    if kept := {_TAKEN_BACK + partition: text for partition, text in marks.items() if text}:
        transaction.set_properties(kept)
    lifted = [_TAKEN_BACK + day for day, text in marks.items() if not text and shown.taken_back.get(day)]
    if lifted:
        transaction.remove_properties(*lifted)


def _snapshot_properties(rewind: Rewind, why: str, rewound_by: str) -> Mapping[str, str]:
    return {
        "sluice.dataset": rewind.dataset,
        "sluice.rewound-to": str(rewind.snapshot_id or ""),
        "sluice.rewound-by": rewound_by,
        "sluice.why": why,
        **{SHOWS + step.partition: str(step.target) for step in rewind.changes},
        **{SHOWED + step.partition: str(step.shown) for step in rewind.changes},
    }


def known_commits(table: Table) -> tuple[Commit, ...]:
    oldest_first = sorted(table.metadata.snapshots, key=lambda snapshot: snapshot.sequence_number or 0)
    return tuple(_commit(snapshot) for snapshot in oldest_first)


def _commit(snapshot: Snapshot) -> Commit:
    said = snapshot.summary.additional_properties if snapshot.summary else {}
    shows = {partition: Version.parse(text) for partition, text in _of_partitions(said, SHOWS).items()}
    published = said.get("sluice.partition")
    if published is not None:
        shows[published] = Version(
            said["sluice.fingerprint"], said["sluice.contract-fingerprint"], said["sluice.code-version"]
        )
    return Commit(
        snapshot.snapshot_id,
        snapshot.sequence_number or 0,  # not the parent, which is lost with the snapshot that it was
        datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC),
        shows,
        said.get("sluice.run-id") if published is not None else None,
        {partition: Version.parse(text) for partition, text in _of_partitions(said, SHOWED).items()},
    )


def _files_to_show(table: Table, rewind: Rewind) -> list[DataFile]:
    return _of(_files_at(table, rewind.snapshot_id), {step.partition for step in rewind.changes})


def _files_at(table: Table, snapshot_id: int | None) -> list[DataFile]:
    if snapshot_id is None:
        return []
    return [task.file for task in table.scan(snapshot_id=snapshot_id).plan_files()]


def _current_files(table: Table) -> list[DataFile]:
    return [task.file for task in table.scan().plan_files()]


def _of(files: Iterable[DataFile], partitions: Collection[str]) -> list[DataFile]:
    return [file for file in files if _partition_of(file) in partitions]


def _partition_of(file: DataFile) -> str:
    return days_to_date(file.partition[0]).isoformat()


def _files_say(files: Iterable[DataFile]) -> Mapping[str, Version]:
    """Return partition -> version; the folder of a staged file has the name of its version."""
    return {_partition_of(file): Version.parse(PurePosixPath(file.file_path).parent.name) for file in files}


def _check_present(io: FileIO, files: Iterable[DataFile]) -> None:
    """Raise RewindRefused unless each file is there as it was, for Iceberg itself would not notice before a reader."""
    for file in files:
        found = io.new_input(file.file_path)
        if not found.exists() or len(found) != file.file_size_in_bytes:
            raise RewindRefused(
                problem=f"{file.file_path}, which the table showed then, is gone or is another file now",
                cure="Restore it from a backup, or name a point that does not need it.",
            )


def _of_partitions(properties: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): text for key, text in properties.items() if key.startswith(prefix)}
