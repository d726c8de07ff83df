"""Builds one partition of a small dataset in memory, and reads back what was published and quarantined."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from sluice.contract import Column, Contract, CsvDialect, FileFormat, Source
from sluice.datatypes import Integer
from sluice.manifest import RawObject, build_manifest
from sluice.transform import Transformed, transform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEY = Column("id", Integer(), required=True)
PARTITION = "2026-11-01"


@dataclass(frozen=True)
class Built:
    """`rows` as published; `rejected` as (object, line, raw, {(code, column), ...})."""

    done: Transformed
    rows: list[dict[str, Any]]
    rejected: list[tuple[str, int | None, bytes | None, set[tuple[str, str | None]]]]

    @property
    def reasons(self) -> set[tuple[str, str | None]]:
        return set().union(*(reasons for *_, reasons in self.rejected))


def contract(*columns: Column, **fields: Any) -> Contract:
    defaults: dict[str, Any] = {"source": Source("events/date={date}/*", FileFormat.JSONL)}
    return Contract("events", "1.0.0", (KEY, *columns), **(defaults | fields))


def csv_contract(*columns: Column, dialect: CsvDialect | None = None, **fields: Any) -> Contract:
    source = Source("events/date={date}/*", FileFormat.CSV, dialect or CsvDialect())
    return contract(*columns, source=source, **fields)


def build(declared: Contract, objects: Mapping[str, bytes] | bytes, workspace: Path) -> Built:
    """Run the transform over objects given as key -> bytes (or one object's bytes)."""
    contents = {"raw/events/a": objects} if isinstance(objects, bytes) else objects
    listed = tuple(RawObject(key, etag(content), len(content)) for key, content in contents.items())
    assert declared.source is not None
    done = transform(
        declared,
        declared.source,
        build_manifest("events", PARTITION, listed),
        lambda item: io.BytesIO(contents[item.key]),
        workspace,
        run_id="run",
    )
    rows = pq.read_table(done.published).drop_columns(["partition_date"]).sort_by("id").to_pylist()
    rejected = [
        (row["object"], row["line_no"], row["raw"], {(why["code"], why["column"] or None) for why in row["reasons"]})
        for row in pq.read_table(done.quarantine).to_pylist()
    ]
    return Built(done, rows, sorted(rejected, key=lambda item: (item[0], item[1] or 0)))


def etag(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
