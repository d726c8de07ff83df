"""Files and row groups are neither so small nor so large that every query pays for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.cost.rules import CostRules
from sluice.fragments.merge_plan import FAN_IN
from sluice.gates.verdict import Cell, Severity, StagedGate, Verdict
from sluice.gates.wording import size
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sluice.gates.evidence import StagedEvidence
    from sluice.profile import FileShape

MIN_ROW_GROUP_RECORDS = 10_000
"""Below it, footers and requests cost more than the values."""
MAX_ROW_GROUP_RECORDS = 2_000_000
"""Above it, one reader holds a whole group in memory, and others have nothing to do."""

_SAMPLE_ROWS = 10


def judge(evidence: StagedEvidence) -> Verdict:
    """A single small file is fine, for there is nothing to merge it with; so is a single small row group.

    Files of fragments are merged when so many have come together, not before: that would cost more than it saves.
    """
    files, rules = evidence.profile.files, evidence.contract.cost
    few = FAN_IN if len(evidence.outcome.fragments) > 1 else 1
    faults = [*_size_faults(files, rules, few), *_row_group_faults(files)]
    defaults = CostRules()
    is_default = (rules.min_file_bytes, rules.max_file_bytes) == (defaults.min_file_bytes, defaults.max_file_bytes)
    return Verdict(
        holds=not faults,
        explanation=f"{'; '.join(faults)}." if faults else _summary(files),
        numbers=_numbers(files),
        threshold=(
            f"files of {size(rules.min_file_bytes)} to {size(rules.max_file_bytes)},"
            f" row groups of {MIN_ROW_GROUP_RECORDS:,} to {MAX_ROW_GROUP_RECORDS:,} records"
        ),
        origin="default" if is_default else "contract",
        sample=tuple(_rows(files, rules)) if faults else (),
    )


FILES_ARE_WELL_SIZED = StagedGate(
    name="files_are_well_sized",
    description="Staged files and their row groups are of a size that queries read well.",
    cure="Set cost.min_file_bytes or cost.max_file_bytes in the contract if this size is meant; else report a bug.",
    severity=Severity.WARN,
    judge=judge,
)


def _size_faults(files: Sequence[FileShape], rules: CostRules, few: int) -> Iterator[str]:
    average = _average([file.size_bytes for file in files])
    if len(files) > few and average < rules.min_file_bytes:
        yield f"{len(files):,} files have {size(average)} on average, at least {size(rules.min_file_bytes)} would do"
    large = [file.size_bytes for file in files if file.size_bytes > rules.max_file_bytes]
    if large:
        yield (
            f"{counted(len(large), 'file')} of {len(files):,} above {size(rules.max_file_bytes)},"
            f" the largest has {size(max(large))}"
        )


def _row_group_faults(files: Sequence[FileShape]) -> Iterator[str]:
    divided = _average([n for file in files if len(file.row_group_records) > 1 for n in file.row_group_records])
    if 0 < divided < MIN_ROW_GROUP_RECORDS:
        yield f"row groups have {divided:,.0f} records on average, at least {MIN_ROW_GROUP_RECORDS:,} would do"
    largest = max((n for file in files for n in file.row_group_records), default=0)
    if largest > MAX_ROW_GROUP_RECORDS:
        yield f"a row group has {largest:,} records, at most {MAX_ROW_GROUP_RECORDS:,} would do"


def _summary(files: Sequence[FileShape]) -> str:
    groups = sum(len(file.row_group_records) for file in files)
    total = sum(file.size_bytes for file in files)
    return f"{counted(len(files), 'file')}, {size(total)} in all, {counted(groups, 'row group')}."


def _numbers(files: Sequence[FileShape]) -> dict[str, int | float]:
    groups = [records for file in files for records in file.row_group_records]
    return {
        "files": len(files),
        "average_file_bytes": _average([file.size_bytes for file in files]),
        "row_groups": len(groups),
        "average_row_group_records": _average(groups),
    }


def _rows(files: Sequence[FileShape], rules: CostRules) -> Iterator[Mapping[str, Cell]]:
    """The largest files first if one is too large, else the smallest."""
    too_large = any(file.size_bytes > rules.max_file_bytes for file in files)
    for file in sorted(files, key=lambda file: file.size_bytes, reverse=too_large)[:_SAMPLE_ROWS]:
        groups = len(file.row_group_records)
        yield {"file": file.key, "size_bytes": file.size_bytes, "records": file.records, "row_groups": groups}


def _average(numbers: Sequence[int]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0
