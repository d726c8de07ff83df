"""Parquet: rows become JSON records, a stretch of a row group at a time."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sluice.errors import RawObjectUnreadable
from sluice.reading.lines import MAX_LINE_BYTES
from sluice.reading.parquet_json import json_objects
from sluice.reading.record_batches import Records, record_batches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

    from sluice.reading.tally import Tally

_MAGIC = b"PAR1"
_STRETCH_BYTES = 32 << 20
_STRETCH_ROWS = 1 << 16


def read_parquet_rows(obj: int, file: BinaryIO, tally: Tally, key: str) -> Iterator[pa.RecordBatch]:
    """Yield one object's rows as JSON texts; a row's number stands in for a line number. `file` must be seekable."""
    _check_magics(file, key)
    row_no = 1
    with closing(duckdb.connect(config={"threads": 1})) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for stretch in _stretches(file, key):
            row_nos = np.arange(stretch.num_rows) + row_no
            row_no += stretch.num_rows
            yield from _batches(obj, connection, stretch, row_nos, tally, key)


def _check_magics(file: BinaryIO, key: str) -> None:
    head = file.read(len(_MAGIC))
    file.seek(-len(head), io.SEEK_END)
    tail = file.read(len(_MAGIC))
    if head != _MAGIC:
        raise RawObjectUnreadable(
            key=key,
            code="not_parquet",
            detail=f"It starts with {head!r}, not with the mark of Parquet.",
            cure="Send a Parquet file, or correct the format in the contract.",
        )
    if tail != _MAGIC:
        raise _broken(key, "it does not end with the mark of Parquet: the end is missing")


def _stretches(file: BinaryIO, key: str) -> Iterator[pa.RecordBatch]:
    """Yield all rows in order, some tens of megabytes at a time."""
    try:
        parquet = pq.ParquetFile(file, page_checksum_verification=True)
        for number in range(parquet.num_row_groups):
            group = parquet.metadata.row_group(number)
            rows = _STRETCH_BYTES * group.num_rows // max(group.total_byte_size, 1)
            yield from parquet.iter_batches(max(1, min(rows, _STRETCH_ROWS)), row_groups=[number])
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the storage failed, not the file: Arrow's own errors have no number
        raise _broken(key, str(error)) from error


def _batches(
    obj: int, connection: DuckDBPyConnection, rows: pa.RecordBatch, row_nos: NDArray[np.int64], tally: Tally, key: str
) -> Iterator[pa.RecordBatch]:
    garbled = _garbled(rows)
    for index in garbled:
        raw = repr(_with_bytes_for_texts(rows.slice(index, 1)).to_pylist()[0]).encode()
        tally.reject(obj, int(row_nos[index]), raw, "invalid_utf8", "a text in this row is not utf-8")
    if garbled:
        sound = np.ones(rows.num_rows, dtype=np.bool_)
        sound[garbled] = False
        rows, row_nos = rows.filter(pa.array(sound)), row_nos[sound]
    try:
        records = _records(json_objects(connection, rows), row_nos)
    except duckdb.Error as error:
        raise RawObjectUnreadable(
            key=key,
            code="unsupported_parquet",
            detail=f"A value in rows {row_nos[0]} to {row_nos[-1]} has no JSON form ({error}).",
            cure="Write its column with another type.",
        ) from error
    too_long = np.flatnonzero(records.ends - records.starts > MAX_LINE_BYTES).tolist()
    refused = dict.fromkeys(too_long, ("record_too_long", f"as JSON more than {MAX_LINE_BYTES:,} bytes"))
    yield from record_batches(obj, tally, records, refused)


def _records(lines: pa.StringArray, row_nos: NDArray[np.int64]) -> Records:
    _, offsets, data = (b"" if buffer is None else buffer.to_pybytes() for buffer in lines.buffers())
    bounds = np.frombuffer(offsets, dtype=np.int32)[lines.offset :].astype(np.int64)
    return Records(data, bounds[: len(lines)], bounds[1 : len(lines) + 1], row_nos)


def _garbled(rows: pa.RecordBatch) -> list[int]:
    """Return which rows hold text that is not UTF-8: Parquet readers do not check, and DuckDB would show '' instead."""
    if _is_valid(rows):
        return []
    return [index for index in range(rows.num_rows) if not _is_valid(rows.slice(index, 1))]


def _is_valid(rows: pa.RecordBatch) -> bool:
    try:
        rows.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _with_bytes_for_texts(rows: pa.RecordBatch) -> pa.RecordBatch:
    return rows.cast(pa.schema([field.with_type(_bytes_for_text(field.type)) for field in rows.schema]))


def _bytes_for_text(datatype: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(datatype):
        return pa.struct([field.with_type(_bytes_for_text(field.type)) for field in datatype])
    if pa.types.is_list(datatype):
        return pa.list_(_bytes_for_text(datatype.value_type))
    return pa.binary() if pa.types.is_string(datatype) else datatype


def _broken(key: str, problem: str) -> RawObjectUnreadable:
    return RawObjectUnreadable(
        key=key,
        code="broken_parquet",
        detail=f"It cannot be read as Parquet: {problem}.",
        cure="Write it again, and send it again.",
    )
