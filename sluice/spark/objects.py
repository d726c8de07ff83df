"""What a task makes of one raw object: the first half of the transform, by the same code as without Spark."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from sluice.drift_kind import DriftKind
from sluice.duckdb_sessions import Limits, connect
from sluice.manifest import Manifest
from sluice.quarantine import QuarantineFile
from sluice.reading import original_bytes
from sluice.spark.job import JobFailure
from sluice.spark.rows import Kind, column_names, fitted
from sluice.sql_types import quote_identifier
from sluice.transform import QUARANTINE_NAME, found_unknown_fields, write_rejected
from sluice.transform.column_sql import LINE
from sluice.transform.deduplication import unique_columns
from sluice.transform.drifting import find_drift, take_out, write_taken_out
from sluice.transform.loading import load
from sluice.transform.record_sql import GOOD, LINE_NO
from sluice.transform.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from duckdb import DuckDBPyConnection

    from sluice.contract import Contract, Source
    from sluice.manifest import RawObject

LIMITS = Limits(memory_bytes=600_000_000, threads=1)
"""Of one task: an executor runs as many of them at once as it has cores."""
_BATCH_RECORDS = 10_000


class TaskDrift(BaseModel):
    """One field in which an object differs from its contract."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: DriftKind
    field: str
    records: int


class Told(BaseModel):
    """One object's account, or why its task failed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    obj: int
    records_in: int = 0
    good: int = 0
    unreadable: str | None = None
    unknown_fields: tuple[str, ...] = ()
    drift: tuple[TaskDrift, ...] = ()
    failure: JobFailure | None = None

    def batch(self, schema: pa.Schema) -> pa.RecordBatch:
        row = {"kind": Kind.TOLD.value, "obj": self.obj, "told": self.model_dump_json()}
        return fitted(pa.RecordBatch.from_pylist([row]), schema)


def judged_rows(
    contract: Contract,
    number: int,
    item: RawObject,
    partition: str,
    open_object: Callable[[RawObject], BinaryIO],
    workspace: Path,
    schema: pa.Schema,
) -> Iterator[pa.RecordBatch]:
    """Yield all that is to be said of object `number` of the manifest; `workspace` is an empty folder.

    Its account comes last. Raises RawObjectChanged when the object is not the one the manifest names.
    """
    source = _source(contract)
    alone, rejected = Manifest(contract.dataset, partition, (item,)), workspace / QUARANTINE_NAME
    with closing(connect(workspace, LIMITS)) as connection:
        spool = Spool(workspace / "rejected.arrows")
        layouts = load(connection, contract, source, alone, open_object, spool)
        unknown = found_unknown_fields(connection)
        drift = find_drift(connection, contract, layouts, spool.tally)
        taken = take_out(connection, contract, drift)
        with QuarantineFile(rejected, alone, contract_version=contract.version, run_id="") as quarantine:
            write_rejected(connection, contract, source, layouts, spool, quarantine)
            write_taken_out(taken, source, alone, open_object, quarantine)
        count = spool.tally.counts[0]
        told = Told(
            obj=number,
            records_in=1 if count.unreadable else count.records,
            unreadable=count.unreadable.code if count.unreadable else None,
            good=_good(connection),
            unknown_fields=unknown,
            drift=tuple(TaskDrift(kind=i.kind, field=i.field, records=i.records) for i in drift),
        )
        yield from _good_rows(connection, contract, source, number, schema)
    yield from _bad_rows(rejected, number, schema)
    yield told.batch(schema)


def _source(contract: Contract) -> Source:
    assert contract.source is not None  # noqa: S101  only landed datasets are built on Spark
    return contract.source


def _good(connection: DuckDBPyConnection) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM parsed WHERE {GOOD}").fetchall()[0]
    return int(count)


def _good_rows(
    connection: DuckDBPyConnection, contract: Contract, source: Source, number: int, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Yield the good records; where one may still turn out not to be unique, with its line."""
    named = [
        f"{quote_identifier(column.name)} AS {name}"
        for column, name in zip(contract.columns, column_names(contract), strict=True)
    ]
    unique = [f"CAST({quote_identifier(name)} AS VARCHAR)" for name in unique_columns(contract)]
    kept = [f"{LINE} AS line", f"[{', '.join(unique)}] AS texts"] if unique else []
    head = [f"CAST({Kind.GOOD.value} AS INTEGER) AS kind", f"CAST({number} AS INTEGER) AS obj", f"{LINE_NO} AS line_no"]
    query = f"SELECT {', '.join([*head, *kept, *named])} FROM parsed WHERE {GOOD}"
    for batch in connection.sql(query).to_arrow_reader(_BATCH_RECORDS):
        whole = batch
        if unique:
            lines = batch.column("line").to_pylist()
            raws = pa.array([original_bytes(line, source) for line in lines], pa.binary())
            whole = batch.append_column("raw", raws)
        yield fitted(whole, schema)


def _bad_rows(rejected: Path, number: int, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(rejected) as file:
        for batch in file.iter_batches(_BATCH_RECORDS, columns=["line_no", "raw", "reasons"]):
            count = batch.num_rows
            head = {
                "kind": pa.repeat(pa.scalar(Kind.BAD.value, pa.int32()), count),
                "obj": pa.repeat(pa.scalar(number, pa.int32()), count),
            }
            columns = head | {name: batch.column(name) for name in ("line_no", "raw", "reasons")}
            yield fitted(pa.RecordBatch.from_pydict(columns), schema)
