"""Parquet rows as JSON records: exact values, row numbers, and broken files with a name."""

from __future__ import annotations

import io
import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.strict_json import is_strict_json
from tests.sluice.reading.reader import JSONL, PARQUET, Reading, csv, read


def parquet(values: pa.Array[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"v": values}), file, **options)
    return file.getvalue()


def texts_of(found: Reading) -> list[Any]:
    """Return the values of column v, numbers as the text they are written with."""
    return [json.loads(line, parse_int=str, parse_float=str)["v"] for line in found.lines]


BERLIN = pa.timestamp("us", "Europe/Berlin")
NANOSECONDS = 1_700_000_000_123_456_789


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        pytest.param(pa.array([2**63 - 1, -(2**63)]), ["9223372036854775807", "-9223372036854775808"], id="int64"),
        pytest.param(pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"], id="uint64"),
        pytest.param(pa.array([-128, None], pa.int8()), ["-128", None], id="int8 and null"),
        pytest.param(
            pa.array([Decimal("12345678901234567890123456789012345.678")], pa.decimal128(38, 3)),
            ["12345678901234567890123456789012345.678"],
            id="decimal",
        ),
        pytest.param(
            pa.array([Decimal("9007199254740993.1")], pa.decimal128(18, 1)),
            ["9007199254740993.1"],
            id="decimal over 2^53",
        ),
        pytest.param(pa.array([Decimal("1.5")], pa.decimal256(60, 2)), ["1.50"], id="wide decimal, as text"),
        pytest.param(pa.array([0.1, 1e300, -0.0, 2.0]), ["0.1", "1e300", "-0.0", "2.0"], id="double"),
        pytest.param(pa.array([0.5, 0.1], pa.float32()), ["0.5", "0.10000000149011612"], id="float, exactly"),
        pytest.param(pa.array([1.5], pa.float16()), ["1.5"], id="half"),
        pytest.param(
            pa.array([float("nan"), float("inf"), float("-inf"), None]), ["nan", "inf", "-inf", None], id="not finite"
        ),
        pytest.param(pa.array([True, False, None]), [True, False, None], id="boolean"),
        pytest.param(pa.array(['"\\\n\t\x00\x1f é日😀', ""]), ['"\\\n\t\x00\x1f é日😀', ""], id="text"),
        pytest.param(pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"], id="dictionary"),
        pytest.param(pa.array([b"\xff\x00", b""], pa.binary()), ["/wA=", ""], id="binary as base64"),
        pytest.param(pa.array([b"\xff\x00"], pa.binary(2)), ["/wA="], id="fixed binary as base64"),
        pytest.param(pa.array([date(2026, 11, 1)]), ["2026-11-01"], id="date"),
        pytest.param(pa.array([time(23, 59, 1, 5)]), ["23:59:01.000005"], id="time"),
        pytest.param(
            pa.array([datetime(2026, 7, 1, 12, tzinfo=UTC)], BERLIN), ["2026-07-01 12:00:00+00"], id="instant in UTC"
        ),
        pytest.param(
            pa.array([NANOSECONDS], pa.int64()).cast(pa.timestamp("ns", "UTC")),
            ["2023-11-14 22:13:20.123456789+00"],
            id="instant with nanoseconds",
        ),
        pytest.param(
            pa.array([datetime(2026, 7, 1, 12)], pa.timestamp("us")),  # noqa: DTZ001  the case is its lack of a zone
            ["2026-07-01 12:00:00"],
            id="time without zone stays without",
        ),
        pytest.param(
            pa.array([NANOSECONDS], pa.int64()).cast(pa.timestamp("ns")),
            ["2023-11-14 22:13:20.123456789"],
            id="time without zone, with nanoseconds",
        ),
        pytest.param(pa.array([None, None], pa.null()), [None, None], id="nothing but nulls"),
        pytest.param(pa.array([uuid.UUID(int=1).bytes], pa.uuid()), [str(uuid.UUID(int=1))], id="uuid"),
        pytest.param(pa.array([[1, None], [], None]), [["1", None], [], None], id="list"),
        pytest.param(pa.array([[[0.5, float("nan")]]]), [[["0.5", "nan"]]], id="list of lists of doubles"),
        pytest.param(
            pa.array([{"a": 1, "b": {"c": b"x", "d": float("inf")}}, None]),
            [{"a": "1", "b": {"c": "eA==", "d": "inf"}}, None],
            id="struct in struct",
        ),
        pytest.param(pa.array([{"a": 1, "A": 2}]), [{"a": "1", "A": "2"}], id="names that differ in case"),
        pytest.param(pa.array([{"a'\"b": 1.5}]), [{"a'\"b": "1.5"}], id="a name with quotes"),
        pytest.param(pa.array([[{"a": 0.5}, None]]), [[{"a": "0.5"}, None]], id="list of structs"),
        pytest.param(
            pa.array([[("x", 1.5), ("y", float("nan"))]], pa.map_(pa.string(), pa.float64())),
            [{"x": "1.5", "y": "nan"}],
            id="map as object",
        ),
        pytest.param(
            pa.array([[(1, "a")]], pa.map_(pa.int64(), pa.string())), [{"1": "a"}], id="map with numbers for keys"
        ),
    ],
)
def test_values_are_exact(values: pa.Array[Any], texts: list[Any]) -> None:
    found = read(parquet(values), PARQUET)

    assert texts_of(found) == texts
    assert [line_no for line_no, _ in found.records] == list(range(1, len(texts) + 1))
    assert (found.counted, found.unreadable) == (len(texts), None)
    assert [is_strict_json(line) for line in found.lines] == [True] * len(texts)


VALUES = st.fixed_dictionaries(
    {
        "id": st.integers(-(2**63), 2**63 - 1),
        "amount": st.none() | st.decimals(-(10**15), 10**15, places=3),
        "note": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        "ratio": st.none() | st.floats(),
        "raw": st.none() | st.binary(max_size=8),
        "at": st.none() | st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
        "tags": st.none()
        | st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=3),
    }
)
COLUMNS: dict[str, pa.DataType] = {
    "id": pa.int64(),
    "amount": pa.decimal128(19, 3),
    "note": pa.string(),
    "ratio": pa.float64(),
    "raw": pa.binary(),
    "at": pa.timestamp("us", "UTC"),
    "tags": pa.list_(pa.string()),
}


@given(rows=st.lists(VALUES, min_size=1, max_size=8), group_rows=st.integers(1, 8))
@settings(max_examples=15, deadline=None)
def test_every_row_is_one_valid_json_object(rows: list[dict[str, Any]], group_rows: int) -> None:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(COLUMNS)), file, row_group_size=group_rows)

    found = read(file.getvalue(), PARQUET)

    parsed = [json.loads(line, parse_float=Decimal) for line in found.lines]
    assert [is_strict_json(line) for line in found.lines] == [True] * len(rows)
    for_exactness = ("id", "amount", "note", "tags")
    assert [{name: row[name] for name in for_exactness} for row in parsed] == [
        {name: row[name] for name in for_exactness} for row in rows
    ]
    assert [line_no for line_no, _ in found.records] == list(range(1, len(rows) + 1))


def test_rows_keep_their_order_and_numbers_over_row_groups_and_batches() -> None:
    found = read(parquet(pa.array(range(100_000)), row_group_size=70_000), PARQUET)

    assert texts_of(found) == [str(number) for number in range(100_000)]
    assert [line_no for line_no, _ in found.records] == list(range(1, 100_001))


def test_columns_whose_names_collide_are_all_there() -> None:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], ["a", "A", "a"]), file)

    assert read(file.getvalue(), PARQUET).lines == ['{"a":1,"A":2,"a":3}']


def test_only_the_rows_with_text_that_is_not_utf8_are_rejected() -> None:
    garbled = pa.array([b"good", b"\xff\xfe", b"fine"], pa.binary()).view(pa.string())

    found = read(parquet(garbled), PARQUET)

    assert found.records == [(1, '{"v":"good"}'), (3, '{"v":"fine"}')]
    assert [(item.line_no, item.code, item.raw) for item in found.rejected] == [
        (2, "invalid_utf8", rb"{'v': b'\xff\xfe'}")
    ]
    assert found.counted == 3


@pytest.mark.parametrize(
    "content", [b"", parquet(pa.array([], pa.int64()))], ids=["an empty object", "a file without rows"]
)
def test_nothing_inside_is_no_record_and_no_damage(content: bytes) -> None:
    found = read(content, PARQUET)

    assert (found.counted, found.unreadable) == (0, None)


GOOD = parquet(pa.array(range(10_000)), compression="none", use_dictionary=False, write_page_checksum=True)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b'{"a":1}\n', "not_parquet", id="JSON"),
        pytest.param(b"P", "not_parquet", id="one byte"),
        pytest.param(b"PAR1", "broken_parquet", id="only the mark"),
        pytest.param(GOOD[:-1], "broken_parquet", id="the last byte is missing"),
        pytest.param(GOOD[: len(GOOD) // 2], "broken_parquet", id="the end is missing"),
        pytest.param(GOOD[:1000] + GOOD[2000:], "broken_parquet", id="a part in the middle is missing"),
        pytest.param(GOOD[:-20] + b"\xff" * 12 + GOOD[-8:], "broken_parquet", id="a broken footer"),
        pytest.param(GOOD[:-8] + b"\xff\xff\xff\x7fPAR1", "broken_parquet", id="a wrong footer length"),
        pytest.param(GOOD[:5000] + b"\x55" + GOOD[5001:], "broken_parquet", id="a changed byte in a page"),
        pytest.param(
            parquet(pa.array([2**62], pa.int64()).cast(pa.duration("s")), store_schema=True),
            "unsupported_parquet",
            id="a value without JSON form",
        ),
    ],
)
def test_damage_has_a_name(content: bytes, code: str) -> None:
    found = read(content, PARQUET)

    assert found.damage == code
    assert found.unreadable is not None
    assert found.unreadable.cure.endswith(".")


@pytest.mark.parametrize("source", [JSONL, csv()], ids=["jsonl", "csv"])
def test_parquet_under_another_format_is_told_from_text(source: Any) -> None:
    assert read(GOOD, source).damage == "wrong_format"


def test_a_duration_is_written_as_text() -> None:
    assert texts_of(read(parquet(pa.array([timedelta(hours=1)])), PARQUET)) == ["01:00:00"]
