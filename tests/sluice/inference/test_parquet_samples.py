"""Parquet samples: the file's own types, as long as every value fits them."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time
from decimal import Decimal as Number
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice.datatypes import (
    Boolean,
    DataType,
    Date,
    Decimal,
    Double,
    Field,
    Integer,
    Json,
    ListOf,
    Struct,
    Text,
    Timestamp,
)
from sluice.errors import SampleRefused

if TYPE_CHECKING:
    from tests.sluice.inference.conftest import Build, Infer

NOON = datetime(2026, 11, 1, 12, 0, 0, 1, tzinfo=UTC)
LOCAL_NOON = NOON.replace(tzinfo=None)


def parquet(**columns: pa.Array[Any]) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


CASES: dict[str, tuple[pa.Array[Any], DataType]] = {
    "int32": (pa.array([1, None], pa.int32()), Integer()),
    "uint64": (pa.array([2**64 - 1, 0], pa.uint64()), Decimal(20, 0)),
    "whole doubles": (pa.array([1.0, 2.0], pa.float64()), Double()),
    "float": (pa.array([0.1, 2.0], pa.float32()), Double()),
    "doubles and NaN": (pa.array([1.5, float("nan")], pa.float64()), Text()),
    "decimal": (pa.array([Number("1.50"), Number("-2.25")], pa.decimal128(9, 2)), Decimal(9, 2)),
    "boolean": (pa.array([True, False]), Boolean()),
    "digits in a text": (pa.array(["1", "2"]), Text()),
    "dates in a text": (pa.array(["2026-11-01", "2026-11-02"]), Text()),
    "dictionary": (pa.array(["a", "b"]).dictionary_encode(), Text()),
    "date": (pa.array([date(2026, 11, 1), None]), Date()),
    "instants": (pa.array([NOON, None], pa.timestamp("us", "UTC")), Timestamp()),
    "instants elsewhere": (pa.array([NOON, None], pa.timestamp("us", "Asia/Kolkata")), Timestamp()),
    "local times": (pa.array([LOCAL_NOON, None], pa.timestamp("us")), Timestamp("Etc/UTC")),
    "nanoseconds that are microseconds": (pa.array([LOCAL_NOON, None], pa.timestamp("ns")), Timestamp("Etc/UTC")),
    "nanoseconds": (pa.array([1, None], pa.timestamp("ns", "UTC")), Text()),
    "time": (pa.array([time(12, 30), None]), Text()),
    "binary": (pa.array([b"\x00\xff", None]), Text()),
    "struct": (
        pa.array([{"a": 1, "b": None}, None], pa.struct([("a", pa.int64()), ("b", pa.float64())])),
        Struct((Field("a", Integer()), Field("b", Double()))),
    ),
    "list": (pa.array([[1.0], []], pa.list_(pa.float64())), ListOf(Double())),
    "map": (pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())), Json()),
    "null": (pa.array([None, None], pa.null()), Text()),
    "no value yet": (pa.array([None, None], pa.int64()), Integer()),
}


@pytest.mark.parametrize(("values", "expected"), CASES.values(), ids=CASES.keys())
def test_type_is_the_files_own_if_every_value_fits(
    infer: Infer, build: Build, values: pa.Array[Any], expected: DataType
) -> None:
    body = parquet(row=pa.array([1, 2]), v=values)

    inferred = infer("things", a__parquet=body)
    built = build(inferred, body)

    assert inferred.contract.column("v").type == expected
    assert (built.records_published, built.reasons) == (2, ())


def test_column_of_two_types_in_two_files_is_told_by_its_values(infer: Infer, build: Build) -> None:
    first, second = parquet(v=pa.array([1, 2])), parquet(v=pa.array(["x"]))

    inferred = infer("things", a__parquet=first, b__parquet=second)

    assert inferred.contract.column("v").type == Text()
    assert build(inferred, first, second).records_published == 3


def test_sample_is_parquet_of_the_first_rows(infer: Infer, build: Build) -> None:
    inferred = infer("things", a__parquet=parquet(v=pa.array(range(500))))

    assert inferred.sample_name == "sample.parquet"
    assert build(inferred, inferred.sample).records_published == 20


def test_broken_file_beside_a_sound_one_is_told(infer: Infer) -> None:
    whole = parquet(v=pa.array(range(500)))

    inferred = infer("things", a__parquet=whole[:-9] + b"\xff" * 5 + whole[-4:], b__parquet=whole)

    assert any(note.startswith("a.parquet cannot be read to its end") for note in inferred.notes)


def test_nothing_but_a_broken_file_is_refused(infer: Infer) -> None:
    with pytest.raises(SampleRefused, match=r"a\.parquet: It cannot be read as Parquet"):
        infer("things", a__parquet=parquet(v=pa.array([1]))[:-20])
