"""Reading raw objects: bytes in, Arrow batches of numbered records out, and nothing lost without a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.contract import FileFormat
from sluice.errors import RawObjectChanged, RawObjectUnreadable
from sluice.reading.byte_order_mark import without_mark
from sluice.reading.compression import decompressed
from sluice.reading.csv_records import read_csv_records
from sluice.reading.encodings import UTF8, can_be_cut, encoding_of_records, transcoded
from sluice.reading.json_document import read_json_document
from sluice.reading.json_lines import read_json_lines
from sluice.reading.lines import blocks
from sluice.reading.parquet_rows import read_parquet_rows
from sluice.reading.record_batches import BATCH_SCHEMA
from sluice.reading.stored import StoredBytes
from sluice.reading.tally import ReadCount, RejectedRecord, Tally, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    import pyarrow as pa

    from sluice.contract import CsvDialect, Source
    from sluice.manifest import RawObject

__all__ = [
    "BATCH_SCHEMA",
    "RawInput",
    "ReadCount",
    "RejectedRecord",
    "Tally",
    "Unreadable",
    "original_bytes",
    "read_objects",
]


@dataclass(frozen=True, slots=True)
class RawInput:
    """One object to read; `number` is its index in the manifest and goes into column `obj`."""

    number: int
    object: RawObject


def read_objects(
    inputs: Sequence[RawInput], source: Source, open_object: Callable[[RawObject], BinaryIO], tally: Tally
) -> Iterator[pa.RecordBatch]:
    """Yield the records of all objects in order, in batches (BATCH_SCHEMA) of one object each.

    Batches may be empty. An object that turns out unreadable is named in its count, and reading goes on with the next;
    the rows it gave before stay in the stream, for the consumer to drop. Raises RawObjectChanged when the bytes of an
    object are not those of the manifest.
    """
    for item in inputs:
        tally.counts[item.number] = ReadCount()
        with _opened(item.object, open_object) as stream:
            stored = StoredBytes(stream, item.object)
            try:
                yield from _records(item.number, stored, source, tally)
            except RawObjectUnreadable as damage:
                _note(damage, tally.counts[item.number])
            tally.etags[item.number] = stored.verify()


def original_bytes(line: str, source: Source) -> bytes:
    """Return a record's bytes as they stand in its file, without the line ending."""
    return line.encode(encoding_of_records(source.csv.encoding) if source.format is FileFormat.CSV else UTF8)


def _note(damage: RawObjectUnreadable, count: ReadCount) -> None:
    before = f" {count.records:,} whole records come before." if count.records else ""
    count.unreadable = Unreadable(damage.code, damage.detail + before, damage.cure)


def _opened(raw_object: RawObject, open_object: Callable[[RawObject], BinaryIO]) -> BinaryIO:
    try:
        return open_object(raw_object)
    except FileNotFoundError as error:
        raise RawObjectChanged(key=raw_object.key, expected_etag=raw_object.etag, found_etag=None) from error


def _records(obj: int, stored: StoredBytes, source: Source, tally: Tally) -> Iterator[pa.RecordBatch]:
    match source.format:
        case FileFormat.JSONL:
            key = stored.object.key
            return read_json_lines(obj, without_mark(blocks(decompressed(stored)), UTF8, key), tally)
        case FileFormat.CSV:
            return _csv_records(obj, stored, source.csv, tally)
        case FileFormat.PARQUET:
            return _parquet_rows(obj, stored, tally)
        case FileFormat.JSON:
            key, path = stored.object.key, source.pull.records if source.pull else ""
            return read_json_document(obj, without_mark(blocks(decompressed(stored)), UTF8, key), path, tally, key)


def _csv_records(obj: int, stored: StoredBytes, dialect: CsvDialect, tally: Tally) -> Iterator[pa.RecordBatch]:
    key = stored.object.key
    chunks = blocks(decompressed(stored))
    if can_be_cut(dialect.encoding):
        return read_csv_records(obj, without_mark(chunks, dialect.encoding, key), dialect, tally, key)
    texts = without_mark(transcoded(chunks, dialect.encoding, key), UTF8, key)
    return read_csv_records(obj, texts, dialect, tally, key)


def _parquet_rows(obj: int, stored: StoredBytes, tally: Tally) -> Iterator[pa.RecordBatch]:
    is_empty = not stored.peek(1)
    return iter(()) if is_empty else read_parquet_rows(obj, stored.rewound(), tally, stored.object.key)
