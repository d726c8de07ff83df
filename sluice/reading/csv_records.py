"""CSV: lines become records of one dialect, the first names the columns, and a bad quote costs its own line only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sluice.errors import RawObjectUnreadable
from sluice.reading.csv_fields import field_texts
from sluice.reading.csv_quotes import BAD_QUOTING, MAX_BYTES, MAX_LINES, UNCLOSED_QUOTE, spans
from sluice.reading.encodings import UTF8, can_be_cut, encoding_of_records, not_utf8, undecodable
from sluice.reading.lines import Block, LongLine, split_lines
from sluice.reading.record_batches import EMPTY_BATCH, Records, record_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from sluice.contract import CsvDialect
    from sluice.reading.tally import Tally

_DETAILS = {
    BAD_QUOTING: "a quote may only open a field, close it, or stand doubled inside it",
    UNCLOSED_QUOTE: f"a quote is not closed within {MAX_LINES:,} lines and {MAX_BYTES:,} bytes",
}


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Some records in their order; `refused` are those that are malformed (index -> code, detail)."""

    records: Records
    refused: dict[int, tuple[str, str]]


def read_csv_records(
    obj: int, chunks: Iterable[bytes], dialect: CsvDialect, tally: Tally, key: str
) -> Iterator[pa.RecordBatch]:
    """Yield one object's records; those rejected go to the tally, and so does the header, before the first batch.

    `chunks` are UTF-8 when `can_be_cut` denies the dialect's encoding, else the object's own bytes.
    """
    header_is_due = dialect.header
    for item in _stretches(split_lines(chunks, bare_cr=True), dialect):
        if isinstance(item, LongLine):
            if header_is_due:
                raise _bad_header(key, item.line_no, "record_too_long")
            tally.reject(obj, item.line_no, _original_head(item, dialect), "record_too_long", item.explanation)
            yield EMPTY_BATCH
            continue
        stretch = item
        if header_is_due:
            tally.headers[obj], stretch = _take_header(stretch, dialect, key)
            header_is_due = False
        yield from _batches(obj, stretch, dialect, tally)


def _stretches(lines: Iterable[Block | LongLine], dialect: CsvDialect) -> Iterator[_Stretch | LongLine]:
    """Yield stretches of at least one record each."""
    open_record: Block | None = None
    for item in lines:
        if isinstance(item, LongLine):
            yield from _closed(open_record, dialect)
            yield item
            open_record = None
        else:
            stretch, open_record = _stretch(_joined(open_record, item), dialect, is_last=False)
            if len(stretch.records):
                yield stretch
    yield from _closed(open_record, dialect)


def _closed(open_record: Block | None, dialect: CsvDialect) -> Iterator[_Stretch]:
    """Yield what becomes of a record that will not be closed any more."""
    if open_record is not None:
        yield _stretch(open_record, dialect, is_last=True)[0]


def _stretch(block: Block, dialect: CsvDialect, *, is_last: bool) -> tuple[_Stretch, Block | None]:
    """Return the records of a block and the lines of one that is still open at its end."""
    quote = (dialect.quote or "").encode()
    if not quote or quote not in block.data:
        line_nos = np.arange(len(block.starts)) + block.first_line_no
        return _filled(Records(block.data, block.starts, block.ends, line_nos), {}), None
    found = spans(block, dialect.delimiter.encode(), quote, is_last=is_last)
    starts, ends = block.starts[found.firsts], block.ends[found.lasts]
    records = Records(block.data, starts, ends, found.firsts + block.first_line_no)
    return _filled(records, found.malformed), _from_line(block, found.rest)


def _filled(records: Records, malformed: dict[int, str]) -> _Stretch:
    """Leave out empty lines, which are no records."""
    is_filled = records.ends > records.starts
    if is_filled.all():
        return _Stretch(records, {index: (code, _DETAILS[code]) for index, code in malformed.items()})
    new_index = np.cumsum(is_filled) - 1
    refused = {int(new_index[index]): (code, _DETAILS[code]) for index, code in malformed.items()}
    return _Stretch(records.take(is_filled), refused)


def _from_line(block: Block, index: int) -> Block | None:
    if index == len(block.starts):
        return None
    offset = int(block.starts[index])
    starts, ends = block.starts[index:] - offset, block.ends[index:] - offset
    return Block(block.data[offset:], starts, ends, block.first_line_no + index)


def _joined(before: Block | None, block: Block) -> Block:
    if before is None:
        return block
    offset = len(before.data)
    starts, ends = np.append(before.starts, block.starts + offset), np.append(before.ends, block.ends + offset)
    return Block(before.data + block.data, starts, ends, before.first_line_no)


def _take_header(stretch: _Stretch, dialect: CsvDialect, key: str) -> tuple[tuple[str, ...], _Stretch]:
    records = stretch.records
    line_no, raw = int(records.line_nos[0]), records.raw(0)
    encoding = _encoding_of_data(dialect)
    if 0 in stretch.refused or undecodable(raw, encoding):
        raise _bad_header(key, line_no, stretch.refused.get(0, ("invalid_encoding", ""))[0])
    rest = records.take(np.arange(len(records)) > 0)
    refused = {index - 1: fault for index, fault in stretch.refused.items()}
    return field_texts(raw.decode(encoding), dialect), replace(stretch, records=rest, refused=refused)


def _encoding_of_data(dialect: CsvDialect) -> str:
    """Return the encoding of the bytes that are cut here: what cannot be cut in its own encoding comes as UTF-8."""
    return encoding_of_records(dialect.encoding) if can_be_cut(dialect.encoding) else UTF8


def _original_head(line: LongLine, dialect: CsvDialect) -> bytes:
    if can_be_cut(dialect.encoding):
        return line.head
    return line.head.decode(errors="ignore").encode(encoding_of_records(dialect.encoding))


def _bad_header(key: str, line_no: int, code: str) -> RawObjectUnreadable:
    return RawObjectUnreadable(
        key=key,
        code="bad_header",
        detail=f"The header in line {line_no} cannot be read ({code}), so its columns have no names.",
        cure="Correct the header line, or say in the contract that there is none.",
    )


def _batches(obj: int, stretch: _Stretch, dialect: CsvDialect, tally: Tally) -> Iterator[pa.RecordBatch]:
    records, encoding = stretch.records, _encoding_of_data(dialect)
    if not can_be_cut(dialect.encoding):
        records = replace(records, file_encoding=encoding_of_records(dialect.encoding))
    if encoding == UTF8:
        return record_batches(obj, tally, records, not_utf8(records) | stretch.refused)
    if records.data.isascii():
        return record_batches(obj, tally, records, stretch.refused)
    raws = [records.raw(index) for index in range(len(records))]
    faults = ((index, undecodable(raw, encoding)) for index, raw in enumerate(raws))
    refused = {index: ("invalid_encoding", fault) for index, fault in faults if fault is not None} | stretch.refused
    texts = [raw.decode(encoding) for index, raw in enumerate(raws) if index not in refused]
    return record_batches(obj, tally, records, refused, texts)
