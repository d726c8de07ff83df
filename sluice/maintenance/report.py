"""What maintenance has done to one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.gates.wording import size
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Report:
    """`lost` are partitions whose files are still gone; `given_up` those that somebody wrote to meanwhile.

    `relisted` had an outcome that listed other files than the table. `overtaken` says that another maintenance was
    removing files at the same time, so that this one left it to it.
    """

    dataset: str
    rebuilt: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    relisted: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    merged_files: int = 0
    merged_bytes: int = 0
    compacted_files: int = 0
    compacted_bytes: int = 0
    files: int = 0
    snapshots_expired: int = 0
    snapshots_kept: int = 0
    metadata_bytes_before: int = 0
    metadata_bytes: int = 0
    versions_withdrawn: int = 0
    files_condemned: int = 0
    bytes_condemned: int = 0
    files_removed: int = 0
    bytes_removed: int = 0
    overtaken: bool = False

    @property
    def is_whole(self) -> bool:
        return not self.lost and not self.problems


def tell(report: Report) -> Iterator[str]:
    """Yield a line for each thing that was done, or could not be."""
    yield from _of_losses(report)
    yield from _of_compaction(report)
    if report.snapshots_expired:
        yield (
            f"forgot {counted(report.snapshots_expired, 'snapshot')}, {report.snapshots_kept:,} stay; metadata "
            f"{size(report.metadata_bytes_before)} -> {size(report.metadata_bytes)}"
        )
    yield from _of_orphans(report)


def _of_losses(report: Report) -> Iterator[str]:
    if report.rebuilt:
        yield f"built anew, for published files were gone: {', '.join(report.rebuilt)}"
    if report.lost:
        yield (
            f"published files are gone and could not be built anew: {', '.join(report.lost)}. Restore them from a "
            "backup, or look at why the runs failed: sluice incidents"
        )
    yield from report.problems


def _of_compaction(report: Report) -> Iterator[str]:
    if report.merged_files:
        yield (
            f"compacted {counted(report.merged_files, 'small file')} ({size(report.merged_bytes)}) into "
            f"{report.compacted_files:,} ({size(report.compacted_bytes)})"
        )
    if report.given_up:
        yield f"left for the next time, for somebody wrote to it meanwhile: {', '.join(report.given_up)}"
    if report.relisted:
        yield f"outcomes brought in line with the table: {', '.join(report.relisted)}"


def _of_orphans(report: Report) -> Iterator[str]:
    if report.versions_withdrawn:
        yield f"withdrew {counted(report.versions_withdrawn, 'staged version')} that nothing shows"
    if report.files_removed or report.files_condemned:
        yield (
            f"removed {counted(report.files_removed, 'file')} ({size(report.bytes_removed)}) that nothing refers to; "
            f"{report.files_condemned:,} more ({size(report.bytes_condemned)}) when their grace has passed"
        )
    if report.overtaken:
        yield "another maintenance was removing files at the same time; this one left it to it"
