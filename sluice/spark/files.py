"""The staged files of a Spark job: each task writes one, by the same code as without Spark."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from sluice.duckdb_sessions import connect
from sluice.outcome import ReasonCount, StagedFile
from sluice.quarantine import QuarantineFile, quarantined_by_object, reason_counts
from sluice.spark.job import JobFailure
from sluice.spark.objects import LIMITS
from sluice.spark.rows import renamed
from sluice.transform import PUBLISHED_NAME, QUARANTINE_NAME, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sluice.contract import Contract
    from sluice.manifest import Manifest


class Written(BaseModel):
    """What one task wrote, as read from the file itself, or why it failed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: StagedFile | None = None
    by_object: dict[str, int] = {}
    reasons: tuple[ReasonCount, ...] = ()
    failure: JobFailure | None = None


def write_published(
    contract: Contract, partition: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema, workspace: Path
) -> Path:
    """Write rows (of the contract's columns as `rows` names them) as a file that a table can show."""
    target = workspace / PUBLISHED_NAME
    with closing(connect(workspace, LIMITS)) as connection:
        connection.register("incoming", pa.RecordBatchReader.from_batches(schema, batches))
        write_rows(connection, contract, partition, f"(SELECT {renamed(contract)} FROM incoming)", target)
        connection.unregister("incoming")
    return target


def write_quarantine(
    contract: Contract, manifest: Manifest, run_id: str, batches: Iterator[pa.RecordBatch], workspace: Path
) -> Path:
    """Write rows of object number, line number, original bytes and reasons."""
    target = workspace / QUARANTINE_NAME
    with QuarantineFile(target, manifest, contract_version=contract.version, run_id=run_id) as quarantine:
        for batch in batches:
            columns = (batch.column(name) for name in ("obj", "line_no", "raw", "reasons"))
            quarantine.write_columns(*columns)
    return target


def staged(path: Path, key: str, put: Callable[[str, Path], object]) -> StagedFile | None:
    """Store a file that holds records; an empty one is not kept."""
    records, size = pq.read_metadata(path).num_rows, path.stat().st_size
    if not records:
        return None
    put(key, path)
    return StagedFile(key=key, records=records, size_bytes=size)


def account(path: Path) -> tuple[dict[str, int], tuple[ReasonCount, ...]]:
    """Return the records by object and the reasons of a quarantine file."""
    return dict(quarantined_by_object(path)), reason_counts(path)
