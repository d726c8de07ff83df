"""Shows partitions that were built again from earlier manifests, all in one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.partition_overwrite import PartitionOverwrite
from resources.staged_files import describe_staged
from resources.table_rewind import HELD, SHOWED, SHOWS, mark_taken_back
from resources.table_stand_ins import note_published
from sluice.publishing import Held

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table, Transaction

    from sluice.outcome import Outcome
    from sluice.replaying import Turn
    from sluice.rewinding import Shown


def prepare_replay(
    transaction: Transaction,
    table: Table,
    turns: Sequence[tuple[Turn, Outcome]],
    shown: Shown,
    uri: Callable[[str], str],
    files_of: Callable[[str], Sequence[DataFile]],
    notes: Mapping[str, str],
) -> Mapping[str, Held]:
    """Stage the whole commit; return what the partitions hold after it.

    As with a rewind no run is named: what this shows is not what a run published.
    """
    old: list[DataFile] = []
    new: list[DataFile] = []
    for item, outcome in turns:
        if item.shown != item.target:  # else its files are these
            old += files_of(item.partition)
            new += describe_staged(outcome, uri, transaction.table_metadata, table.io)
    shows = {SHOWS + item.partition: str(item.target) for item, _ in turns}
    showed = {SHOWED + item.partition: str(item.shown) for item, _ in turns if item.shown is not None}
    overwrite = PartitionOverwrite(transaction, table.io, {**notes, **shows, **showed}, old, new)
    overwrite.commit()
    held = {item.partition: Held(item.target, item.sequence, overwrite.snapshot_id) for item, _ in turns}
    transaction.set_properties({HELD + partition: str(found) for partition, found in held.items()})
    mark_taken_back(transaction, {item.partition: item.taken_back for item, _ in turns}, shown)
    for item, _ in turns:
        note_published(transaction, item.partition, shown.held.get(item.partition), None)
    return held
