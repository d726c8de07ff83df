"""Raw objects in, local Parquet out: each record is published, quarantined with its reasons, or superseded."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from sluice.contract import PARTITION_COLUMN
from sluice.duckdb_sessions import Limits, connect
from sluice.outcome import FieldDrift, ObjectBalance, ReasonCount
from sluice.quarantine import QuarantineFile, Rejected, quarantined_by_object, reason_counts
from sluice.reading import original_bytes
from sluice.sql_types import quote_identifier, quote_literal
from sluice.transform.column_sql import LINE
from sluice.transform.deduplication import PUBLISHABLE, drop_superseded, reject_not_unique, unique_columns
from sluice.transform.drifting import find_drift, take_out, write_taken_out
from sluice.transform.key_file import write_keys
from sluice.transform.loading import load, record_sql, unreadable_objects
from sluice.transform.record_sql import GOOD, LINE_NO, OBJECT, REASON_TYPE, SEPARATOR, UNKNOWN
from sluice.transform.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from duckdb import DuckDBPyConnection

    from sluice.contract import Contract, Source
    from sluice.duckdb_sessions import Connect
    from sluice.manifest import Manifest, RawObject
    from sluice.reading import Tally
    from sluice.transform.loading import Layouts

ROW_GROUP_RECORDS = 122_880
"""DuckDB's own measure: larger groups are written by one core while the other waits (1.4 times the time at 250,000).
Compression level 1 is for the same reason: on the benchmark's rows level 3 takes longer and saves nothing."""
PUBLISHED_NAME = "published.parquet"
QUARANTINE_NAME = "quarantine.parquet"
KEYS_NAME = "keys.parquet"


@dataclass(frozen=True, slots=True)
class Transformed:
    """What one transform wrote: two local files (whether or not they hold rows) and where every record went.

    `keys` says which record each published row with a key is, if that was asked for.
    """

    published: Path
    quarantine: Path
    objects: tuple[ObjectBalance, ...]
    reasons: tuple[ReasonCount, ...]
    records_published: int
    records_quarantined: int
    unknown_fields: tuple[str, ...] = ()
    drift: tuple[FieldDrift, ...] = ()
    keys: Path | None = None


def transform(
    contract: Contract,
    source: Source,
    manifest: Manifest,
    open_object: Callable[[RawObject], BinaryIO],
    workspace: Path,
    *,
    run_id: str,
    limits: Limits = Limits(),  # noqa: B008  frozen
    connect: Connect = connect,
    with_keys: bool = False,
) -> Transformed:
    """Build one partition below `workspace` (an empty folder), with bounded memory whatever its size.

    `with_keys` writes the keys of what is published, too, if the contract has a primary key.
    Raises RawObjectChanged when an object is not the one the manifest names.
    """
    job = _Job(contract, manifest, workspace)
    with closing(connect(workspace, limits)) as connection:
        spool = Spool(workspace / "rejected.arrows")
        layouts = load(connection, contract, source, manifest, open_object, spool)
        unknown_fields = found_unknown_fields(connection)
        drift = find_drift(connection, contract, layouts, spool.tally)
        taken = take_out(connection, contract, drift)
        drop_superseded(connection, contract)
        reject_not_unique(connection, contract)
        _write_published(connection, job)
        keys = write_keys(connection, contract, workspace / KEYS_NAME) if with_keys else None
        with QuarantineFile(job.quarantine, manifest, contract_version=contract.version, run_id=run_id) as quarantine:
            write_rejected(connection, contract, source, layouts, spool, quarantine)
            if unique_columns(contract):
                _copy(connection, _NOT_UNIQUE, source, quarantine)
            write_taken_out(taken, source, manifest, open_object, quarantine)
        named = tuple(
            FieldDrift(key=manifest.objects[item.number].key, kind=item.kind, field=item.field, records=item.records)
            for item in drift
        )
        accounted = _account(connection, job, spool.tally)
        return replace(accounted, unknown_fields=unknown_fields, drift=named, keys=keys)


@dataclass(frozen=True, slots=True)
class _Job:
    contract: Contract
    manifest: Manifest
    workspace: Path

    @property
    def published(self) -> Path:
        return self.workspace / PUBLISHED_NAME

    @property
    def quarantine(self) -> Path:
        return self.workspace / QUARANTINE_NAME


def _write_published(connection: DuckDBPyConnection, job: _Job) -> None:
    write_rows(connection, job.contract, job.manifest.partition, PUBLISHABLE, job.published)


def write_rows(connection: DuckDBPyConnection, contract: Contract, partition: str, relation: str, target: Path) -> None:
    """Write a relation with the contract's columns as a file that a table can show."""
    names = ", ".join(quote_identifier(column.name) for column in contract.columns)
    sorting = ", ".join(quote_identifier(name) for name in contract.sort_by)
    order = f"ORDER BY {sorting}" if sorting else ""
    connection.execute(
        f"COPY (SELECT {names}, DATE {quote_literal(partition)} AS {PARTITION_COLUMN} FROM {relation} {order}) "
        f"TO {quote_literal(str(target))} "
        f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROW_GROUP_RECORDS})"
    )


def write_rejected(
    connection: DuckDBPyConnection,
    contract: Contract,
    source: Source,
    layouts: Layouts,
    spool: Spool,
    quarantine: QuarantineFile,
) -> None:
    """Write what was rejected record by record, and the objects that cannot be read."""
    unreadable = unreadable_objects(spool.tally)
    for portion in spool.rejected():
        quarantine.write([item for item in portion if item.number not in unreadable])
    quarantine.write([Rejected(n, None, None, why.code, f"{why.detail} {why.cure}") for n, why in unreadable.items()])
    for layout, numbers in layouts.items():
        among = "true" if len(layouts) == 1 else f"list_contains({numbers}, {OBJECT})"
        bad = f"SELECT {OBJECT} AS obj, {LINE_NO} AS line_no, {LINE} AS line FROM parsed WHERE NOT {GOOD} AND {among}"
        _copy(connection, record_sql(contract, layout).explained(f"({bad})"), source, quarantine)


_NOT_UNIQUE = f"""
SELECT {OBJECT}, {LINE_NO}, any_value({LINE}) AS {LINE},
    list(CAST(ROW('not_unique', "column", value) AS {REASON_TYPE})) AS reasons
FROM not_unique JOIN parsed USING ({OBJECT}, {LINE_NO}) GROUP BY {OBJECT}, {LINE_NO}"""


def _copy(connection: DuckDBPyConnection, statement: str, source: Source, quarantine: QuarantineFile) -> None:
    """Append what a statement gives (object, line number, line, reasons) to the quarantine file."""
    # A relation is planned twice, to know its columns and to be run, so the long statement is not one.
    connection.execute(f"CREATE TEMP TABLE explained AS {statement}")
    for batch in connection.sql("FROM explained").to_arrow_reader(10_000):
        raws = pa.array([original_bytes(line, source) for line in batch.column(2).to_pylist()], pa.binary())
        quarantine.write_columns(batch.column(0), batch.column(1), raws, batch.column(3))
    connection.execute("DROP TABLE explained")


def _account(connection: DuckDBPyConnection, job: _Job, tally: Tally) -> Transformed:
    """Count each side on its own: what readers saw, what DuckDB kept and dropped, what the written files hold."""
    good = _by_object(connection, f"parsed WHERE {GOOD}")
    duplicates = _by_object(connection, "superseded")
    not_unique = _by_object(connection, f"(SELECT DISTINCT {OBJECT}, {LINE_NO} FROM not_unique)")
    quarantined = quarantined_by_object(job.quarantine)
    balances = []
    for number, item in enumerate(job.manifest.objects):
        count = tally.counts[number]
        balances.append(
            ObjectBalance(
                key=item.key,
                etag=item.etag,
                records_in=1 if count.unreadable else count.records,
                published=good.get(number, 0) - duplicates.get(number, 0) - not_unique.get(number, 0),
                quarantined=quarantined.get(item.key, 0),
                duplicates=duplicates.get(number, 0),
                unreadable=count.unreadable.code if count.unreadable else None,
            )
        )
    return Transformed(
        published=job.published,
        quarantine=job.quarantine,
        objects=tuple(balances),
        reasons=reason_counts(job.quarantine),
        records_published=pq.read_metadata(job.published).num_rows,
        records_quarantined=pq.read_metadata(job.quarantine).num_rows,
    )


def _by_object(connection: DuckDBPyConnection, relation: str) -> dict[int, int]:
    return dict(connection.execute(f"SELECT {OBJECT}, count(*) FROM {relation} GROUP BY ALL").fetchall())


def found_unknown_fields(connection: DuckDBPyConnection) -> tuple[str, ...]:
    """Return the names of fields in `parsed` that the contract does not declare."""
    names = f"unnest(string_split({UNKNOWN}, {SEPARATOR}))"
    found = connection.execute(f"SELECT DISTINCT {names} AS name FROM parsed WHERE {UNKNOWN} IS NOT NULL ORDER BY name")
    return tuple(name for (name,) in found.fetchall())
