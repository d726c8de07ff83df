"""How far back a table can be read: the snapshots it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.table.update.snapshot import ExpireSnapshots

if TYPE_CHECKING:
    from pyiceberg.table import Transaction

KEPT_SNAPSHOTS = 300
"""pyiceberg copies and rewrites the list of snapshots with every commit: about 0.3 ms for each of them."""


def forget_old_snapshots(transaction: Transaction, kept: int = KEPT_SNAPSHOTS) -> None:
    """Stage that all but the newest snapshots are forgotten; their files stay, so that no reader loses ground."""
    metadata = transaction.table_metadata
    tagged = {reference.snapshot_id for reference in metadata.refs.values()}
    oldest_first = sorted(metadata.snapshots, key=lambda snapshot: snapshot.sequence_number or 0)
    old = [item.snapshot_id for item in oldest_first[:-kept] if item.snapshot_id not in tagged]
    if old:
        ExpireSnapshots(transaction).by_ids(old).commit()
