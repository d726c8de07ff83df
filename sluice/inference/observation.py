"""What was seen in the samples: every column's shape, how many records were sound, and the first of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from sluice.inference.keys import KeyCandidates
from sluice.inference.samples import raw_object
from sluice.inference.shape import Shape
from sluice.reading import RawInput, Tally, read_objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

    from sluice.contract import Source
    from sluice.inference.samples import Limits, SampleFile

KEPT_RECORDS = 20
"""How many records go into the sample beside the contract."""


@dataclass(slots=True)
class Observation:
    """What all samples hold. `broken` records do not count in `records`."""

    connection: DuckDBPyConnection
    most_columns: int
    columns: dict[str, Shape] = field(default_factory=dict)
    candidates: KeyCandidates = field(default_factory=KeyCandidates)
    records: int = 0
    broken: int = 0
    left_out: set[str] = field(default_factory=set)  # columns beyond `most_columns`
    cut_off: list[str] = field(default_factory=list)  # samples that hold more than was looked at
    unreadable: dict[str, str] = field(default_factory=dict)  # samples that cannot be read to their end, and why
    sound: list[SampleFile] = field(default_factory=list)  # samples with records that can be read to their end
    header_line: str = ""
    kept: list[str] = field(default_factory=list)

    def column(self, name: str) -> Shape | None:
        """Return the column of that name, a new one if need be, or None when there are too many."""
        found = self.columns.get(name)
        if found is None and len(self.columns) < self.most_columns:
            found = self.columns[name] = Shape(self.connection)
        elif found is None:
            self.left_out.add(name)
        return found

    def keep(self, line: str) -> None:
        if len(self.kept) < KEPT_RECORDS:
            self.kept.append(line)

    def note_end(self, reading: SampleReading) -> None:
        """Take over what the readers refused."""
        count = reading.tally.counts[0]
        self.broken += len(reading.tally.rejected)
        if count.unreadable is not None:
            self.unreadable[reading.sample.name] = count.unreadable.detail
        elif count.records:
            self.sound.append(reading.sample)


class SampleReading:
    """The batches of one sample, up to its share of the limits, from the readers that will read its like every day."""

    def __init__(self, sample: SampleFile, source: Source, limits: Limits) -> None:
        self.sample = sample
        self.source = source
        self.tally = Tally()
        self.records = 0
        self.size_bytes = 0
        self._limits = limits

    def batches(self, seen: Observation) -> Iterator[pa.RecordBatch]:
        """Yield batches that are not empty."""
        inputs = [RawInput(0, raw_object(self.sample))]
        for batch in read_objects(inputs, self.source, lambda _: self.sample.open(), self.tally):
            taken = batch.slice(0, self._limits.records - self.records)
            if len(taken):
                yield taken
            self.records += len(taken)
            self.size_bytes += (
                taken.column("line").cast(pa.string()).nbytes
            )  # a view does not know how long its texts are
            if len(taken) < len(batch) or self.size_bytes >= self._limits.size_bytes:
                seen.cut_off.append(self.sample.name)
                break
