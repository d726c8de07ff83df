"""What a table says of stand-ins: which partitions show one, and which of them own data have replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyiceberg.table import Transaction

    from sluice.publishing import Held
    from sluice.version import Version

STAND_IN = "sluice.stand_in."
"""Table property per partition that shows a stand-in: what stands in. Set in the commit that shows it."""

RECONCILED = "sluice.reconciled."
"""Table property per partition whose stand-in own data have replaced: that stand-in's version, and what it was."""


def note_published(transaction: Transaction, partition: str, before: Held | None, stand_in: str | None) -> None:
    """Stage what the partition is from this commit on; own data that follow a stand-in reconcile it."""
    if stand_in is not None:
        transaction.set_properties({STAND_IN + partition: stand_in})
        _remove(transaction, RECONCILED + partition)
    elif before is not None and before.stand_in is not None:
        transaction.set_properties({RECONCILED + partition: f"{before.version} {before.stand_in}"})
        _remove(transaction, STAND_IN + partition)


def note_rewound(transaction: Transaction, partition: str, target: Version) -> None:
    """Stage it for a partition that goes back to `target`, which may be the stand-in that it showed before."""
    version, _, stand_in = transaction.table_metadata.properties.get(RECONCILED + partition, "").partition(" ")
    if version == str(target):
        transaction.set_properties({STAND_IN + partition: stand_in})
        _remove(transaction, RECONCILED + partition)
    else:
        _remove(transaction, STAND_IN + partition)


def _remove(transaction: Transaction, key: str) -> None:
    if key in transaction.table_metadata.properties:
        transaction.remove_properties(key)
