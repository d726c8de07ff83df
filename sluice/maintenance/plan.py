"""What maintenance would do to one table, as data; a shell performs it, a dry run prints it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sluice.gates.wording import size
from sluice.maintenance.sweeping import Sweep
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluice.maintenance.compaction import Merge
    from sluice.maintenance.table_state import TableFile


@dataclass(frozen=True, slots=True)
class Plan:
    """`missing` are files that the table shows and that are gone; `kept` is how many snapshots stay."""

    dataset: str
    merges: tuple[Merge, ...] = ()
    expired: tuple[int, ...] = ()
    kept: int = 0
    missing: tuple[TableFile, ...] = ()
    sweep: Sweep = field(default_factory=Sweep)

    @property
    def missing_partitions(self) -> tuple[str, ...]:
        return tuple(sorted({file.partition for file in self.missing}))


def explain(plan: Plan) -> Iterator[str]:
    """Yield a line for each thing that there is to do."""
    if plan.missing:
        days = ", ".join(plan.missing_partitions)
        yield f"build anew: {days}, for {counted(len(plan.missing), 'published file')} of it are gone"
    if plan.merges:
        merged = sum(len(merge.files) for merge in plan.merges)
        read = size(sum(merge.size_bytes for merge in plan.merges))
        yield f"compact: {counted(merged, 'small file')} ({read}) into {len(plan.merges):,}"
    if plan.expired:
        yield f"forget: {counted(len(plan.expired), 'snapshot')}; {plan.kept:,} stay"
    if plan.sweep.withdrawn:
        yield f"withdraw: {counted(len(plan.sweep.withdrawn), 'staged version')} that nothing shows"
    if plan.sweep.removed:
        gone = size(sum(file.size_bytes for file in plan.sweep.removed))
        yield f"remove: {counted(len(plan.sweep.removed), 'file')} ({gone}) that nothing refers to"
    waiting = len(plan.sweep.condemned) - len(plan.sweep.removed)
    if waiting:
        yield f"condemn: {counted(waiting, 'file')} that nothing refers to; removed when their grace has passed"
    for key in plan.sweep.unreadable:
        yield f"leave alone: the partition of {key}, which cannot be read"
