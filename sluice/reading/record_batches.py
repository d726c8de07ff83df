"""Arrow batches over record texts that stay where they were read: 16 bytes a record are written, no text is copied."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sluice.reading.tally import RejectedRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from sluice.reading.tally import Tally

_COLUMNS: dict[str, pa.DataType] = {"obj": pa.int32(), "line_no": pa.int64(), "line": pa.string_view()}
BATCH_SCHEMA = pa.schema(_COLUMNS)
BATCH_RECORDS = 8192
EMPTY_BATCH = pa.RecordBatch.from_pylist([], schema=BATCH_SCHEMA)

_VIEW = np.dtype([("length", "<i4"), ("prefix", "V4"), ("buffer", "<i4"), ("offset", "<i4")])
_VIEW_BYTES = 16
_PREFIX_BYTES = 4
_INLINE_BYTES = 12
"""Arrow keeps a text up to this length inside its view."""


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one object: number i, on line `line_nos[i]`, is `data[starts[i]:ends[i]]`. `data` is below 2 GiB.

    `file_encoding` is set when `data` was made UTF-8 before it was cut.
    """

    data: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    line_nos: NDArray[np.int64]
    file_encoding: str | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def raw(self, index: int) -> bytes:
        return self.data[int(self.starts[index]) : int(self.ends[index])]

    def original(self, index: int) -> bytes:
        """Return the record's bytes as they stand in the file."""
        raw = self.raw(index)
        return raw if self.file_encoding is None else raw.decode().encode(self.file_encoding)

    def take(self, which: NDArray[np.bool_]) -> Records:
        starts, ends, line_nos = self.starts[which], self.ends[which], self.line_nos[which]
        return Records(self.data, starts, ends, line_nos, self.file_encoding)


def record_batches(
    obj: int, tally: Tally, records: Records, refused: Mapping[int, tuple[str, str]], texts: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Count all records, reject those `refused` (index -> code, detail), yield the others, as `texts` when given.

    Without `texts` the records not refused must be UTF-8. A batch is empty when its whole stretch is rejected, so that
    consumers get their turn to empty `tally.rejected` however bad an object is.
    """
    keep = np.ones(len(records), dtype=np.bool_)
    keep[list(refused)] = False
    kept = records.take(keep) if refused else records
    lines = _views(kept) if texts is None else pa.array(texts, pa.string_view())
    objs = pa.array(np.full(len(kept), obj, dtype=np.int32))
    batch = pa.RecordBatch.from_arrays([objs, pa.array(kept.line_nos), lines], schema=BATCH_SCHEMA)
    bad = sorted(refused)
    passed = 0
    for first in range(0, len(records), BATCH_RECORDS):
        last = min(first + BATCH_RECORDS, len(records))
        for index in bad[bisect_left(bad, first) : bisect_left(bad, last)]:
            line_no = int(records.line_nos[index])
            tally.rejected.append(RejectedRecord(obj, line_no, records.original(index), *refused[index]))
        tally.counts[obj].records += last - first
        size = int(np.count_nonzero(keep[first:last]))
        yield batch.slice(passed, size)
        passed += size


def _views(records: Records) -> pa.Array[Any]:
    octets = np.frombuffer(records.data, dtype=np.uint8)
    views = np.zeros(len(records), dtype=_VIEW)
    views["length"] = records.ends - records.starts
    views["offset"] = records.starts
    _copy_prefixes(views, octets)
    _copy_heads(views, octets, np.flatnonzero(views["length"] <= _INLINE_BYTES), _INLINE_BYTES)
    return pa.Array.from_buffers(
        pa.string_view(), len(records), [None, pa.py_buffer(views.tobytes()), pa.py_buffer(records.data)]
    )


def _copy_prefixes(views: NDArray[np.void], octets: NDArray[np.uint8]) -> None:
    """Write the first four bytes of every text that has so many, all at once; `_copy_heads` sees to shorter ones."""
    fours = octets[: max(len(octets) - _PREFIX_BYTES + 1, 0)]
    if not len(fours):
        return
    fours = np.lib.stride_tricks.as_strided(octets[:_PREFIX_BYTES].view("<u4"), (len(fours),), (1,), writeable=False)
    views["prefix"] = fours[np.minimum(views["offset"], len(fours) - 1)].view("V4")


def _copy_heads(views: NDArray[np.void], octets: NDArray[np.uint8], which: NDArray[np.int64], width: int) -> None:
    """Write the first `width` bytes of the texts `which` behind their lengths, zeros where a text is shorter."""
    inside = views.view(np.uint8).reshape(-1, _VIEW_BYTES)
    starts, lengths = views["offset"][which], views["length"][which]
    for place in range(width):
        found = octets[np.minimum(starts + place, len(octets) - 1)]
        inside[which, _PREFIX_BYTES + place] = np.where(place < lengths, found, 0)
