"""Reads quarantine files back: the rejected records with their bytes, place and reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_BATCH_RECORDS = 1_000


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    column: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class QuarantinedRecord:
    """One rejected record; `line` and `raw` are None for an object that was quarantined whole."""

    object: str
    etag: str
    line: int | None
    raw: bytes | None
    reasons: tuple[Reason, ...]
    earlier_reasons: tuple[Reason, ...] = ()  # of the version that was published before
    earlier_contract: str | None = None


def read_quarantine(file: BinaryIO) -> Iterator[QuarantinedRecord]:
    """Yield the records of one quarantine file in its order, a batch in memory at a time."""
    columns = ["object", "etag", "line_no", "raw", "reasons", "earlier_reasons", "earlier_contract_version"]
    for batch in pq.ParquetFile(file).iter_batches(batch_size=_BATCH_RECORDS, columns=columns):
        for row in batch.to_pylist():
            yield _record(row)


def _record(row: Mapping[str, Any]) -> QuarantinedRecord:  # Any: a row of a file whose schema quarantine.py sets
    earlier = row.get("earlier_reasons")  # files from before redriving was known lack it
    return QuarantinedRecord(
        row["object"],
        row["etag"],
        row["line_no"],
        row["raw"],
        _reasons(row["reasons"]),
        _reasons(earlier or ()),
        row.get("earlier_contract_version"),
    )


def _reasons(rows: Iterable[Mapping[str, Any]]) -> tuple[Reason, ...]:
    return tuple(Reason(item["code"], item["column"] or None, item["value"]) for item in rows)
