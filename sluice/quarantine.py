"""Quarantine files: rejected records with their original bytes, where they stood, and every reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sluice.outcome import ReasonCount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from sluice.manifest import Manifest

REASONS = pa.list_(
    pa.struct([pa.field("code", pa.string()), pa.field("column", pa.string()), pa.field("value", pa.string())])
)

_COLUMNS: dict[str, pa.DataType] = {
    "object": pa.string(),
    "etag": pa.string(),
    "line_no": pa.int64(),  # NULL for an object quarantined whole
    "raw": pa.binary(),  # NULL for an object quarantined whole: its bytes stay in the raw zone
    "reasons": REASONS,
    "whole_object": pa.bool_(),
    "contract_version": pa.string(),
    "run_id": pa.string(),
    "partition_date": pa.date32(),
    "earlier_reasons": REASONS,  # why the version before rejected it, NULL if it did not
    "earlier_contract_version": pa.string(),
}
SCHEMA = pa.schema(_COLUMNS)


@dataclass(frozen=True, slots=True)
class Rejected:
    """One rejected record, or a whole object when `line_no` is None. `number` is the object's index in the manifest."""

    number: int
    line_no: int | None
    raw: bytes | None
    code: str
    value: str


_ROW_GROUP_BYTES = 32_000_000
"""Records are held up to this size: callers bring them a handful at a time, too few for a row group."""


class QuarantineFile:
    """Writes one quarantine file; use it as a context manager. It exists even when nothing is rejected."""

    def __init__(self, path: Path, manifest: Manifest, *, contract_version: str, run_id: str) -> None:
        self._writer = pq.ParquetWriter(path, SCHEMA, compression="zstd")
        self._keys = pa.array([item.key for item in manifest.objects], pa.string())
        self._etags = pa.array([item.etag for item in manifest.objects], pa.string())
        self._constants = (contract_version, run_id, date.fromisoformat(manifest.partition))
        self._held: list[pa.Table] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        self._writer.close()

    def write(self, rejected: Sequence[Rejected]) -> None:
        """Append records that were rejected one reason each."""
        reasons = [[{"code": item.code, "column": None, "value": item.value}] for item in rejected]
        self.write_columns(
            pa.array([item.number for item in rejected], pa.int32()),
            pa.array([item.line_no for item in rejected], pa.int64()),
            pa.array([item.raw for item in rejected], pa.binary()),
            pa.array(reasons, REASONS),
        )

    def write_columns(
        self, numbers: pa.Array[Any], line_nos: pa.Array[Any], raws: pa.Array[Any], reasons: pa.Array[Any]
    ) -> None:
        """Append records held as columns: object numbers, line numbers, original bytes, lists of reasons."""
        if not len(numbers):
            return
        count = len(numbers)
        version, run_id, partition = self._constants
        columns = [
            self._keys.take(numbers),
            self._etags.take(numbers),
            line_nos,
            raws,
            reasons.cast(REASONS),
            line_nos.is_null(),
            pa.repeat(pa.scalar(version, pa.string()), count),
            pa.repeat(pa.scalar(run_id, pa.string()), count),
            pa.repeat(pa.scalar(partition, pa.date32()), count),
            pa.nulls(count, REASONS),
            pa.nulls(count, pa.string()),
        ]
        self._held.append(pa.Table.from_arrays(columns, schema=SCHEMA))
        if sum(table.nbytes for table in self._held) > _ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.concat_tables(self._held))
            self._held.clear()


def copy_reasons(files: Iterable[Callable[[], BinaryIO]], target: Path) -> None:
    """Write the records of quarantine files to one file, without their bytes, a batch in memory at a time."""
    columns = ["object", "etag", "line_no", "reasons", "contract_version"]
    schema = pa.schema([SCHEMA.field(name) for name in columns])
    with pq.ParquetWriter(target, schema) as writer:
        for open_file in files:
            with open_file() as opened:
                for batch in pq.ParquetFile(opened).iter_batches(columns=columns):
                    writer.write_batch(batch.cast(schema))  # DuckDB names parts of lists in its own way


def quarantined_by_object(path: Path) -> Mapping[str, int]:
    """Count the records in a quarantine file by object, from the file itself."""
    counts = pq.ParquetFile(path).read(["object"]).group_by("object").aggregate([("object", "count")])
    return {row["object"]: row["object_count"] for row in counts.to_pylist()}


def reason_counts(path: Path) -> tuple[ReasonCount, ...]:
    """Count reasons by object, code and column, from the file itself."""
    table = pq.ParquetFile(path).read(["object", "reasons"])
    reasons = table["reasons"].combine_chunks()
    flat = pc.list_flatten(reasons)
    counts = (
        pa.table(
            {
                "key": table["object"].combine_chunks().take(pc.list_parent_indices(reasons)),
                "code": pc.struct_field(flat, "code"),
                "column": pc.struct_field(flat, "column"),
            }
        )
        .group_by(["key", "code", "column"])
        .aggregate([([], "count_all")])
    )
    found = [
        ReasonCount(key=row["key"], code=row["code"], column=row["column"] or None, records=row["count_all"])
        for row in counts.to_pylist()
    ]
    return tuple(sorted(found, key=lambda item: (item.key, item.code, item.column or "")))
