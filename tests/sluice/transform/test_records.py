"""Every record ends as published, quarantined or superseded, and the numbers close."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.contract import Column, UnknownFields
from sluice.datatypes import Boolean, Decimal, Double, Integer, Json, Text, Timestamp
from sluice.errors import RawObjectChanged
from sluice.manifest import RawObject, build_manifest
from sluice.transform import transform
from tests.sluice.transform.builder import build, contract, csv_contract, etag

if TYPE_CHECKING:
    from pathlib import Path

AT = Column("at", Timestamp())


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{bad", "malformed_json"),
        (b'{"id":1,}', "malformed_json"),
        (b'{"id":NaN}', "malformed_json"),
        (b'{"id":1} {"id":2}', "malformed_json"),
        (b"[1]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"id":1,"id":2}', "duplicate_field"),
        (b'{"id":1,"other":1,"other":2}', "duplicate_field"),
        (b'{"id":1,"note":"\xff"}', "invalid_utf8"),
    ],
)
def test_line_that_is_no_record_is_quarantined_as_it_came(line: bytes, code: str, tmp_path: Path) -> None:
    built = build(contract(Column("note", Text())), b'{"id":7}\n' + line + b"\n", tmp_path)

    assert [row["id"] for row in built.rows] == [7]
    assert built.rejected == [("raw/events/a", 2, line, {(code, None)})]


def test_object_behind_white_space_is_a_record(tmp_path: Path) -> None:
    assert len(build(contract(), b' \t{"id":1} \r\n', tmp_path).rows) == 1


def test_unknown_field_is_reported_and_left_out(tmp_path: Path) -> None:
    built = build(contract(), b'{"id":1,"b":1,"a":2}\n{"id":2}\n', tmp_path)

    assert built.rows == [{"id": 1}, {"id": 2}]
    assert built.done.unknown_fields == ("a", "b")


def test_unknown_field_is_rejected_where_the_contract_says_so(tmp_path: Path) -> None:
    built = build(contract(unknown_fields=UnknownFields.REJECT), b'{"id":1,"x":1}\n{"id":2}\n', tmp_path)

    assert built.rows == [{"id": 2}]
    assert built.reasons == {("unknown_field", None)}


def test_latest_by_order_column_wins(tmp_path: Path) -> None:
    declared = contract(AT, primary_key=("id",), order_by="at")
    lines = b'{"id":1,"at":"2026-11-01T02:00:00Z"}\n{"id":1,"at":"2026-11-01T01:00:00Z"}\n{"id":1}\n'

    built = build(declared, lines, tmp_path)

    assert [row["at"].hour for row in built.rows] == [2]
    assert built.done.objects[0].duplicates == 2


def test_latest_file_then_last_line_wins_among_equals(tmp_path: Path) -> None:
    declared = contract(Column("v", Text()), primary_key=("id",))
    objects = {"raw/events/b": b'{"id":1,"v":"b1"}\n{"id":1,"v":"b2"}\n', "raw/events/a": b'{"id":1,"v":"a"}\n'}

    built = build(declared, objects, tmp_path)

    assert built.rows == [{"id": 1, "v": "b2"}]
    assert [item.duplicates for item in built.done.objects] == [1, 1]


def test_rejected_record_never_supersedes_a_good_one(tmp_path: Path) -> None:
    declared = contract(Column("v", Integer()), AT, primary_key=("id",), order_by="at")
    lines = b'{"id":1,"v":1,"at":"2026-11-01T01:00:00Z"}\n{"id":1,"v":"x","at":"2026-11-01T02:00:00Z"}\n'

    built = build(declared, lines, tmp_path)

    assert [row["v"] for row in built.rows] == [1]
    assert built.done.objects[0].quarantined == 1


def test_second_holder_of_a_unique_value_is_quarantined(tmp_path: Path) -> None:
    lines = b'{"id":1,"u":"same"}\n{"id":2,"u":"same"}\n{"id":3}\n{"id":4}\n'

    built = build(contract(Column("u", Text(), unique=True), primary_key=("id",)), lines, tmp_path)

    assert [row["id"] for row in built.rows] == [2, 3, 4]
    assert built.rejected == [("raw/events/a", 1, b'{"id":1,"u":"same"}', {("not_unique", "u")})]


def test_truncated_object_is_quarantined_whole_and_others_go_on(tmp_path: Path) -> None:
    whole = gzip.compress(b'{"id":1}\n' * 1000, mtime=0)
    objects = {"raw/events/a.gz": whole[:-20], "raw/events/b.gz": gzip.compress(b'{"id":2}\n', mtime=0)}

    built = build(contract(), objects, tmp_path)

    assert built.rows == [{"id": 2}]
    assert built.rejected == [("raw/events/a.gz", None, None, {("truncated_gzip", None)})]
    assert [(item.records_in, item.quarantined, item.unreadable) for item in built.done.objects] == [
        (1, 1, "truncated_gzip"),
        (1, 0, None),
    ]


def test_changed_object_stops_the_transform(tmp_path: Path) -> None:
    declared = contract()
    assert declared.source is not None
    path = tmp_path / "a"
    path.write_bytes(b'{"id":2}\n')
    manifest = build_manifest("events", "2026-11-01", (RawObject("raw/events/a", etag(b'{"id":1}\n'), 9),))

    with pytest.raises(RawObjectChanged, match="raw/events/a"):
        transform(declared, declared.source, manifest, lambda _: path.open("rb"), tmp_path, run_id="run")


def test_partition_of_no_records_gives_an_empty_file(tmp_path: Path) -> None:
    built = build(contract(), b"\n  \n", tmp_path)

    assert (built.rows, built.rejected) == ([], [])
    assert built.done.objects[0].records_in == 0


def test_rows_are_sorted_as_the_contract_says(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    lines = b"".join(b'{"id":%d,"v":%d}\n' % (n, (n * 7919) % 1000) for n in range(1000))

    built = build(contract(Column("v", Integer()), sort_by=("v",)), lines, tmp_path)

    written = pq.read_table(built.done.published)["v"].to_pylist()
    assert written == sorted((n * 7919) % 1000 for n in range(1000))


class TestCsv:
    """Columns are found by their header's names; a row with too few or too many fields is never shifted."""

    COLUMNS = (Column("a", Text()), Column("b", Decimal(6, 2)))

    def test_columns_follow_the_header_not_the_contract(self, tmp_path: Path) -> None:
        objects = {"raw/events/1.csv": b"b,id,a\n1.50,1,x\n", "raw/events/2.csv": b"id,a\n2,y\n"}

        built = build(csv_contract(*self.COLUMNS), objects, tmp_path)

        assert [(row["id"], row["a"], str(row["b"])) for row in built.rows] == [(1, "x", "1.50"), (2, "y", "None")]

    def test_ragged_row_is_quarantined_by_itself(self, tmp_path: Path) -> None:
        built = build(csv_contract(*self.COLUMNS), b"id,a,b\n1,x\n2,y,1,z\n3,z,2\n", tmp_path)

        assert [row["id"] for row in built.rows] == [3]
        assert [item[1:] for item in built.rejected] == [
            (2, b"1,x", {("column_count", None)}),
            (3, b"2,y,1,z", {("column_count", None)}),
        ]

    def test_quoted_field_may_hold_anything(self, tmp_path: Path) -> None:
        built = build(csv_contract(*self.COLUMNS), b'id,a,b\r\n1,"x,""y""\n z",2\r\n2,"",3\r\n3,,4\r\n', tmp_path)

        assert [row["a"] for row in built.rows] == ['x,"y"\n z', "", None]

    def test_quoted_empty_field_is_a_value_of_text_only(self, tmp_path: Path) -> None:
        built = build(csv_contract(*self.COLUMNS), b'id,a,b\n"1","",""\n', tmp_path)

        assert [(row["a"], row["b"]) for row in built.rows] == [("", None)]

    @pytest.mark.parametrize(
        "header", [b"id,a,id,b", b"a,b", b"x,y,z"], ids=["doubled", "lacks the required id", "names nothing known"]
    )
    def test_wrong_header_quarantines_the_object_whole(self, header: bytes, tmp_path: Path) -> None:
        objects = {"raw/events/1.csv": header + b"\n1,2,3\n", "raw/events/2.csv": b"id,a,b\n5,y,1\n"}

        built = build(csv_contract(*self.COLUMNS), objects, tmp_path)

        assert [row["id"] for row in built.rows] == [5]
        assert built.rejected == [("raw/events/1.csv", None, None, {("header_mismatch", None)})]


NAMES = st.sampled_from(["id", "s", "n", "d", "f", "b", "j", "x"])
VALUES = st.sampled_from(["1", "-2.50", '"7"', "true", "null", '"text"', '""', '"\\u0041"', '"1"', "1e3", "[]", "{}"])


@settings(max_examples=60, deadline=None)
@given(
    records=st.lists(st.lists(st.tuples(NAMES, VALUES), max_size=9), max_size=12),
    comma=st.sampled_from([",", ", ", " ,\t"]),
    colon=st.sampled_from([":", ": "]),
)
def test_doubled_or_unknown_field_is_always_found(
    records: list[list[tuple[str, str]]], comma: str, colon: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The transform lists a record's names only if the record is long enough to hold a further one: never wrongly."""
    columns = (
        Column("s", Text()), Column("n", Integer()), Column("d", Decimal(9, 2)), Column("f", Double()),
        Column("b", Boolean()), Column("j", Json()),
    )  # fmt: skip
    lines = ["{" + comma.join(f'"{name}"{colon}{value}' for name, value in record) + "}" for record in records]

    built = build(contract(*columns), "\n".join(lines).encode(), tmp_path_factory.mktemp("run"))

    names = [[name for name, _ in json.loads(line, object_pairs_hook=list)] for line in lines]
    doubled = {number for number, found in enumerate(names, start=1) if len(found) != len(set(found))}
    assert {line for _, line, _, why in built.rejected if ("duplicate_field", None) in why} == doubled
    seen = built.done.unknown_fields
    assert seen == (("x",) if any("x" in found for found in names) else ())
