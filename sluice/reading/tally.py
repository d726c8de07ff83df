"""What reading found besides records: counts, headers, hashes, and the records that never reach SQL."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why an object cannot be used. `detail` and `cure` are sentences."""

    code: str
    detail: str
    cure: str


@dataclass(slots=True)
class ReadCount:
    """One object's records so far, rejected ones included; blank lines are not records. Final when reading ends."""

    records: int = 0
    unreadable: Unreadable | None = None


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """One record refused before SQL. `line_no` counts from 1; `raw` has no line ending."""

    obj: int
    line_no: int
    raw: bytes
    code: str
    detail: str


@dataclass(slots=True)
class Tally:
    """Filled while reading, by object number. The consumer may empty `rejected` between batches to bound its size."""

    counts: dict[int, ReadCount] = field(default_factory=dict)
    headers: dict[int, tuple[str, ...]] = field(default_factory=dict)
    etags: dict[int, str] = field(default_factory=dict)
    rejected: list[RejectedRecord] = field(default_factory=list)

    def reject(self, obj: int, line_no: int, raw: bytes, code: str, detail: str) -> None:
        """Count and keep one record that is refused on its own."""
        self.counts[obj].records += 1
        self.rejected.append(RejectedRecord(obj, line_no, raw, code, detail))
