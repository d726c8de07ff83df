"""Reads one object from memory, the way a transform reads it from a store."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from itertools import pairwise

from sluice.contract import CsvDialect, FileFormat, Source
from sluice.manifest import RawObject
from sluice.reading import RawInput, RejectedRecord, Tally, Unreadable, read_objects

NUMBER = 7
JSONL = Source("x", FileFormat.JSONL)
PARQUET = Source("x", FileFormat.PARQUET)


@dataclass(frozen=True)
class Reading:
    """`records` are (line number, text)."""

    records: list[tuple[int, str]]
    rejected: list[RejectedRecord]
    counted: int
    unreadable: Unreadable | None
    header: tuple[str, ...] | None

    @property
    def lines(self) -> list[str]:
        return [text for _, text in self.records]

    @property
    def codes(self) -> list[tuple[int, str]]:
        return [(record.line_no, record.code) for record in self.rejected]

    @property
    def damage(self) -> str | None:
        return self.unreadable.code if self.unreadable else None


def etag(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def csv(**dialect: object) -> Source:
    return Source("x", FileFormat.CSV, CsvDialect(**dialect))  # type: ignore[arg-type]


def cut(content: bytes, places: list[int]) -> list[bytes]:
    """Return `content` in parts that end at `places` (taken modulo its length)."""
    borders = sorted({0, len(content), *(place % (len(content) + 1) for place in places)})
    return [content[start:end] for start, end in pairwise(borders)]


def read(content: bytes, source: Source = JSONL, key: str = "object") -> Reading:
    item = RawInput(NUMBER, RawObject(key, etag(content), len(content)))
    tally = Tally()
    batches = list(read_objects([item], source, lambda _: io.BytesIO(content), tally))
    records = [(row["line_no"], row["line"]) for batch in batches for row in batch.to_pylist() if row["obj"] == NUMBER]
    count = tally.counts[NUMBER]
    return Reading(records, tally.rejected, count.records, count.unreadable, tally.headers.get(NUMBER))
