"""Which snapshots a table may forget."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.maintenance.policy import MaintenancePolicy
    from sluice.maintenance.table_state import TableState


def choose_expired(state: TableState, policy: MaintenancePolicy, now: datetime) -> tuple[int, ...]:
    """Return the ids of snapshots that no rewind may ask for any more; the newest is never among them.

    They are always the oldest: what a rewind can reach has no holes, except for what tags keep.
    """
    long_ago = now - timedelta(days=policy.keep_days)
    candidates = state.commits[: -max(policy.keep_snapshots, 1)]
    return tuple(
        item.snapshot_id for item in candidates if item.committed_at < long_ago and item.snapshot_id not in state.pinned
    )
