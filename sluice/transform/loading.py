"""The first half of a transform: fill the table `parsed` with every record the readers give, good and bad."""

from __future__ import annotations

from contextlib import closing
from itertools import groupby
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from sluice.contract import FileFormat
from sluice.reading import BATCH_SCHEMA, RawInput, read_objects
from sluice.sql_types import duckdb_type, quote_identifier
from sluice.transform.column_sql import LINE
from sluice.transform.csv_header import header_fault
from sluice.transform.deduplication import unique_columns
from sluice.transform.read_ahead import ReadAhead
from sluice.transform.record_sql import GOOD, LINE_NO, OBJECT, UNKNOWN, CsvLayout, RecordSql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from duckdb import DuckDBPyConnection

    from sluice.contract import Contract, Source
    from sluice.manifest import Manifest, RawObject
    from sluice.reading import Tally, Unreadable
    from sluice.transform.spool import Spool

Layouts = dict[CsvLayout | None, list[int]]
"""Which objects, by number, were read under which layout; None is the layout of JSON records."""


def load(
    connection: DuckDBPyConnection,
    contract: Contract,
    source: Source,
    manifest: Manifest,
    open_object: Callable[[RawObject], BinaryIO],
    spool: Spool,
) -> Layouts:
    """Fill `parsed` from all objects and drop the records of those that could not be read to their end."""
    _create_parsed(connection, contract)
    inputs = [RawInput(number, item) for number, item in enumerate(manifest.objects)]
    layouts: Layouts = {}
    with closing(ReadAhead(spool.drained(read_objects(inputs, source, open_object, spool.tally)))) as batches:
        try:
            _insert(connection, contract, source, batches, spool.tally, layouts)
        except duckdb.Error as error:
            if batches.error is not None:
                raise batches.error from error
            raise
    _drop_unreadable(connection, spool.tally)
    return layouts


def _insert(
    connection: DuckDBPyConnection,
    contract: Contract,
    source: Source,
    batches: Iterable[pa.RecordBatch],
    tally: Tally,
    layouts: Layouts,
) -> None:
    """Run one statement per run of objects with one layout: a single one for JSON, and for CSV while headers agree."""
    readable = _with_sound_headers(batches, contract, tally)
    for layout, group in groupby(readable, key=lambda batch: _layout(contract, source, tally, _number(batch))):
        noted = _noting(group, layouts.setdefault(layout, []))
        connection.register("incoming", pa.RecordBatchReader.from_batches(BATCH_SCHEMA, noted))
        connection.execute(f"INSERT INTO parsed BY NAME {record_sql(contract, layout).parsed('incoming')}")
        connection.unregister("incoming")


def record_sql(contract: Contract, layout: CsvLayout | None) -> RecordSql:
    """Return the statements for one layout; lines are kept where a record may still turn out not to be unique."""
    return RecordSql(contract, layout, keep_lines=bool(unique_columns(contract)))


def unreadable_objects(tally: Tally) -> dict[int, Unreadable]:
    """Return why objects could not be used, by number."""
    return {number: count.unreadable for number, count in tally.counts.items() if count.unreadable is not None}


def _create_parsed(connection: DuckDBPyConnection, contract: Contract) -> None:
    typed = ", ".join(f"{quote_identifier(column.name)} {duckdb_type(column.type)}" for column in contract.columns)
    connection.execute(
        f"CREATE TEMP TABLE parsed ({OBJECT} INTEGER, {LINE_NO} BIGINT, {LINE} VARCHAR, {GOOD} BOOLEAN, "
        f"{UNKNOWN} VARCHAR, {typed})"
    )


def _with_sound_headers(
    batches: Iterable[pa.RecordBatch], contract: Contract, tally: Tally
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if _header_is_sound(contract, tally, _number(batch)):
            yield batch
    # An object that ends after a wrong header yields no batch, yet it is wrong all the same.
    for number in tally.headers:
        _header_is_sound(contract, tally, number)


def _header_is_sound(contract: Contract, tally: Tally, number: int) -> bool:
    header = tally.headers.get(number)
    fault = header_fault(contract, header) if header is not None else None
    if fault is not None:
        tally.counts[number].unreadable = fault
    return fault is None


def _layout(contract: Contract, source: Source, tally: Tally, number: int) -> CsvLayout | None:
    if source.format is not FileFormat.CSV:
        return None
    header = tally.headers.get(number) or tuple(column.name for column in contract.columns)
    return CsvLayout(header, source.csv)


def _noting(batches: Iterator[pa.RecordBatch], numbers: list[int]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        number = _number(batch)
        if not numbers or numbers[-1] != number:
            numbers.append(number)
        yield batch


def _number(batch: pa.RecordBatch) -> int:
    number: int = batch.column(0)[0].as_py()
    return number


def _drop_unreadable(connection: DuckDBPyConnection, tally: Tally) -> None:
    if unreadable := list(unreadable_objects(tally)):
        connection.execute(f"DELETE FROM parsed WHERE list_contains({unreadable}, {OBJECT})")
