"""What was seen in the samples: every column's shape, how many records were sound, and the first of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sluice.inference.keys import KeyCandidates
from sluice.inference.samples import raw_object
from sluice.inference.shape import Shape
from sluice.reading import RawInput, Tally, read_objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from sluice.contract import Source
    from sluice.inference.samples import Limits, SampleFile

KEPT_RECORDS = 20
"""How many records go into the sample beside the contract."""

MOST_COLUMNS = 1_000


@dataclass(slots=True)
class Observation:
    """What all samples hold. `broken` records do not count in `records`."""

    connection: DuckDBPyConnection
    columns: dict[str, Shape] = field(default_factory=dict)
    candidates: KeyCandidates = field(default_factory=KeyCandidates)
    records: int = 0
    broken: int = 0
    left_out: set[str] = field(default_factory=set)  # columns beyond MOST_COLUMNS
    cut_off: list[str] = field(default_factory=list)  # samples that hold more than was looked at
    unreadable: dict[str, str] = field(default_factory=dict)  # samples that cannot be read to their end, and why
    header_line: str = ""
    kept: list[str] = field(default_factory=list)

    def column(self, name: str) -> Shape | None:
        """Return the column of that name, a new one if need be, or None when there are too many."""
        found = self.columns.get(name)
        if found is None and len(self.columns) < MOST_COLUMNS:
            found = self.columns[name] = Shape(self.connection)
        elif found is None:
            self.left_out.add(name)
        return found

    def keep(self, line: str) -> None:
        if len(self.kept) < KEPT_RECORDS:
            self.kept.append(line)


class SampleReading:
    """The batches of one sample, up to its share of the limits, from the readers that will read its like every day."""

    def __init__(self, sample: SampleFile, source: Source, limits: Limits) -> None:
        self.sample = sample
        self.source = source
        self.tally = Tally()
        self._limits = limits

    def batches(self, seen: Observation) -> Iterator[pa.RecordBatch]:
        """Yield batches that are not empty; when they end, `seen` knows what was refused or not looked at."""
        records, size_bytes = self._limits.records, self._limits.size_bytes
        inputs = [RawInput(0, raw_object(self.sample))]
        for batch in read_objects(inputs, self.source, lambda _: self.sample.open(), self.tally):
            taken = batch.slice(0, records)
            if len(taken):
                yield taken
            records -= len(taken)
            size_bytes -= taken.column("line").get_total_buffer_size() if len(taken) else 0
            if len(taken) < len(batch) or size_bytes <= 0:
                seen.cut_off.append(self.sample.name)
                break
        seen.broken += len(self.tally.rejected)
        if fault := self.tally.counts[0].unreadable:
            seen.unreadable[self.sample.name] = fault.detail
