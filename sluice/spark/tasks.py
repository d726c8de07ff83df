"""What runs on Spark's executors: batches in, batches out. What goes wrong is told as a row, with its class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, Protocol
from uuid import uuid4

import pyarrow as pa

from sluice.spark.files import Written, account, staged, write_published, write_quarantine
from sluice.spark.job import SparkJob
from sluice.spark.objects import Told, judged_rows
from sluice.spark.rows import column_names, row_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sluice.contract import Contract
    from sluice.manifest import Manifest, RawObject
    from sluice.spark.job import JobFailure


class Store(Protocol):
    def open(self, key: str, *, etag: str | None = None) -> BinaryIO: ...
    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool: ...


@dataclass(frozen=True, slots=True)
class Tasks:
    """`failure_of` returns what is to be told of an error, or raises it while Spark would still try again."""

    job: str
    store: Store
    failure_of: Callable[[Exception], JobFailure]

    def judge(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the rows (see `rows`) of the objects whose numbers come in."""
        read = _read(self.job)
        for number in (int(number) for batch in batches for number in batch.column(0).to_numpy()):
            item = read.manifest.objects[number]
            try:
                with TemporaryDirectory(prefix="sluice-object-") as folder:
                    yield from judged_rows(
                        read.contract, number, item, read.job.partition, self._open, Path(folder), read.schema
                    )
            except Exception as error:  # noqa: BLE001  Spark would keep its words and lose its type
                yield Told(obj=number, failure=self.failure_of(error)).batch(read.schema)
                return

    def publish(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write good rows to one file; yield what it holds."""
        read = _read(self.job)
        columns = pa.schema([read.schema.field(name) for name in column_names(read.contract)])

        def write(folder: Path) -> Written:
            path = write_published(read.contract, read.job.partition, batches, columns, folder)
            return Written(file=staged(path, _key(read.job.published_prefix), self.store.put))

        yield self._attempted(write)

    def quarantine(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write rejected rows to one file; yield what it holds."""
        read = _read(self.job)

        def write(folder: Path) -> Written:
            path = write_quarantine(read.contract, read.manifest, read.job.run_id, batches, folder)
            by_object, reasons = account(path)
            file = staged(path, _key(read.job.quarantine_prefix), self.store.put)
            return Written(file=file, by_object=by_object, reasons=reasons)

        yield self._attempted(write)

    def _attempted(self, write: Callable[[Path], Written]) -> pa.RecordBatch:
        try:
            with TemporaryDirectory(prefix="sluice-file-") as folder:
                written = write(Path(folder))
        except Exception as error:  # noqa: BLE001  as above
            written = Written(failure=self.failure_of(error))
        return pa.RecordBatch.from_pydict({"told": [written.model_dump_json()]})

    def _open(self, item: RawObject) -> BinaryIO:
        return self.store.open(item.key, etag=item.etag)


@dataclass(frozen=True, slots=True)
class _Read:
    job: SparkJob
    contract: Contract
    manifest: Manifest
    schema: pa.Schema


@cache
def _read(text: str) -> _Read:
    job = SparkJob.model_validate_json(text)
    contract = job.declared()
    return _Read(job, contract, job.manifest(), row_schema(contract))


def _key(prefix: str) -> str:
    """No two attempts of a task share a name: a slower twin must never replace a file that an outcome lists."""
    return f"{prefix}{uuid4().hex[:12]}.parquet"
