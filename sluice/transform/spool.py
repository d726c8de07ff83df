"""Records that readers reject wait here, on disk: an object full of bad bytes may reject millions of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pyarrow as pa

from sluice.quarantine import Rejected
from sluice.reading import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_COLUMNS: dict[str, pa.DataType] = {
    "number": pa.int32(),
    "line_no": pa.int64(),
    "raw": pa.binary(),
    "code": pa.string(),
    "value": pa.string(),
}
_SCHEMA = pa.schema(_COLUMNS)


_PORTION_BYTES = 1_000_000
"""What is rejected waits in memory up to about this size before it is moved to disk."""
_RECORD_BYTES = 500


class Spool:
    """Write once while reading, then read as often as needed."""

    def __init__(self, path: Path) -> None:
        self.tally = Tally()
        self._path = path
        self._writer = pa.ipc.new_stream(str(path), _SCHEMA)

    def drained(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the batches of a reader, moving what its tally rejects to disk as it goes."""
        for batch in batches:
            if sum(len(item.raw) + _RECORD_BYTES for item in self.tally.rejected) > _PORTION_BYTES:
                self._drain()
            if batch.num_rows:  # an empty one only says that its whole stretch was rejected
                yield batch
        self._drain()
        self._writer.close()

    def rejected(self) -> Iterator[list[Rejected]]:
        """Yield what was rejected, in portions."""
        with pa.ipc.open_stream(pa.memory_map(str(self._path))) as stream:
            for batch in stream:
                yield [Rejected(**row) for row in batch.to_pylist()]

    def _drain(self) -> None:
        if found := self.tally.rejected:
            rows = [Rejected(item.obj, item.line_no, item.raw, item.code, item.detail) for item in found]
            self._writer.write_batch(pa.RecordBatch.from_pylist([asdict(row) for row in rows], schema=_SCHEMA))
            found.clear()
