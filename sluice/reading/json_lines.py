"""JSON Lines: every line that is not blank is a record; what DuckDB would wrongly take for JSON is refused here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sluice.reading.encodings import not_utf8
from sluice.reading.json_suspects import suspects
from sluice.reading.lines import LongLine, split_lines
from sluice.reading.record_batches import EMPTY_BATCH, Records, record_batches
from sluice.strict_json import is_strict_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from sluice.reading.lines import Block
    from sluice.reading.tally import Tally

_JSON_SPACES = b" \t\r"
_SHOWN_CHARACTERS = 200


def read_json_lines(obj: int, chunks: Iterable[bytes], tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield one object's records; those rejected go to the tally."""
    for item in split_lines(chunks, bare_cr=False):
        if isinstance(item, LongLine):
            tally.reject(obj, item.line_no, item.head, "record_too_long", item.explanation)
            yield EMPTY_BATCH
        else:
            records = _records(item)
            yield from record_batches(obj, tally, records, _refused(records))


def _records(block: Block) -> Records:
    records = Records(block.data, block.starts, block.ends, np.arange(len(block.starts)) + block.first_line_no)
    first = np.frombuffer(block.data, dtype=np.uint8)[np.minimum(block.starts, len(block.data) - 1)]
    # An empty line starts with its own line ending, so it too is among those that start with a blank.
    perhaps_blank = np.flatnonzero(first <= ord(" ")).tolist()
    blank = [index for index in perhaps_blank if not records.raw(index).strip(_JSON_SPACES)]
    if not blank:
        return records
    keep = np.ones(len(records), dtype=np.bool_)
    keep[blank] = False
    return records.take(keep)


def _refused(records: Records) -> dict[int, tuple[str, str]]:
    refused = not_utf8(records)
    for index in suspects(records):
        if index not in refused and not is_strict_json(raw := records.raw(index)):
            refused[index] = ("malformed_json", raw.decode()[:_SHOWN_CHARACTERS])
    return refused
