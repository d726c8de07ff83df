"""Every value is published as it was written, or its record is rejected with the reason."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as Number
from typing import TYPE_CHECKING

import pytest

from sluice.contract import Column, Rules
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
from tests.sluice.transform.builder import build, contract

if TYPE_CHECKING:
    from pathlib import Path

STRUCT = Struct((Field("x", Integer(), required=True), Field("y", Struct((Field("z", Decimal(5, 1)),)))))
LIST = ListOf(Struct((Field("sku", Text(), required=True), Field("tags", ListOf(Text())))))
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("datatype", "written", "published"),
    [
        (Text(), '"ok"', "ok"),
        (Text(), '""', ""),
        (Text(), "null", None),
        (Text(), '"{text"', "{text"),
        (Text(), '"\\u00e9\\ud83d\\ude00\\n"', "é😀\n"),
        (Text(), "true", "true"),
        (Text(), "1.10", "1.10"),
        (Text(), "123456789012345678.12", "123456789012345678.12"),
        (Text(), "1e2", "1e2"),
        (Integer(), "9223372036854775807", 9223372036854775807),
        (Integer(), '"42"', 42),
        (Integer(), "42.0", 42),
        (Integer(), "1e3", 1000),
        (Integer(), "-0", 0),
        (Integer(32), "-2147483648", -2147483648),
        (Decimal(10, 2), "12.30", Number("12.30")),
        (Decimal(10, 2), "12.3000", Number("12.30")),
        (Decimal(10, 2), "1e2", Number("100.00")),
        (Decimal(10, 2), "5", Number("5.00")),
        (Decimal(20, 2), "123456789012345678.12", Number("123456789012345678.12")),
        (Double(), "1.5e3", 1500.0),
        (Double(), "0.1", 0.1),
        (Boolean(), "false", False),
        (Boolean(), '"TRUE"', True),
        (Date(), '"2026-02-28"', date(2026, 2, 28)),
        (Date("%d/%m/%Y"), '"28/02/2026"', date(2026, 2, 28)),
        (Timestamp(), '"2026-07-01T12:00:00Z"', NOON),
        (Timestamp(), '"2026-07-01 17:30:00.000000+05:30"', NOON),
        (Timestamp(), '"2026-07-01T08:00:00-0400"', NOON),
        (Timestamp(), '"2026-07-01T12:00Z"', NOON),
        (Timestamp(), '"2026-07-01T12:00:00.123456000Z"', NOON.replace(microsecond=123456)),
        (Timestamp("America/New_York"), '"2026-07-01 08:00:00"', NOON),
        (Timestamp("America/New_York"), '"2026-07-01 12:00:00Z"', NOON),
        (Timestamp("Asia/Kolkata", "%d.%m.%Y %H:%M"), '"01.07.2026 17:30"', NOON),
        (Json(), '{"a": [1.50, 12345678901234567890]}', '{"a":[1.50,12345678901234567890]}'),
        (STRUCT, '{"x":1,"y":{"z":1.5}}', {"x": 1, "y": {"z": Number("1.5")}}),
        (STRUCT, "null", None),
        (LIST, '[{"sku":"a","tags":["t"]},null]', [{"sku": "a", "tags": ["t"]}, None]),
        (ListOf(Integer()), "[1,null,3]", [1, None, 3]),
        (ListOf(Integer()), "[]", []),
    ],
)
def test_value_is_published_exactly(datatype: DataType, written: str, published: object, tmp_path: Path) -> None:
    built = build(contract(Column("v", datatype)), f'{{"id":1,"v":{written}}}\n'.encode(), tmp_path)

    assert built.rejected == []
    assert built.rows == [{"id": 1, "v": published}]


@pytest.mark.parametrize(
    ("datatype", "written", "reason"),
    [
        (Text(), '{"a":1}', ("wrong_type", "v")),
        (Text(), "[1]", ("wrong_type", "v")),
        (Integer(), "9223372036854775808", ("out_of_range", "v")),
        (Integer(32), "2147483648", ("out_of_range", "v")),
        (Integer(), "1.5", ("not_exact", "v")),
        (Integer(), "15e-1", ("not_exact", "v")),
        (Integer(), '"1_000"', ("wrong_type", "v")),
        (Integer(), '"0x1F"', ("wrong_type", "v")),
        (Integer(), '""', ("wrong_type", "v")),
        (Integer(), "true", ("wrong_type", "v")),
        (Decimal(10, 2), "12.345", ("not_exact", "v")),
        (Decimal(10, 2), "1e-30", ("not_exact", "v")),
        (Decimal(10, 2), "0.1000000000000000055", ("not_exact", "v")),
        (Decimal(10, 2), "123456789", ("out_of_range", "v")),
        (Double(), "1e400", ("out_of_range", "v")),
        (Double(), '"nan"', ("wrong_type", "v")),
        (Double(), '"Infinity"', ("wrong_type", "v")),
        (Boolean(), "1", ("wrong_type", "v")),
        (Boolean(), '"yes"', ("wrong_type", "v")),
        (Date(), '"2026-02-30"', ("wrong_type", "v")),
        (Date(), '"2026-2-3"', ("wrong_type", "v")),
        (Date(), '"2026-02-03T00:00:00Z"', ("wrong_type", "v")),
        (Date("%d/%m/%Y"), '"2026-02-28"', ("wrong_type", "v")),
        (Timestamp(), '"2026-07-01T12:00:00"', ("no_time_zone", "v")),
        (Timestamp(), '"2026-07-01T12:00:00+99:00"', ("bad_time_zone", "v")),
        (Timestamp(), '"2026-07-01T12:00:00 America/New_York"', ("bad_time_zone", "v")),
        (Timestamp(), '"2026-07-01T12:00:00.1234567Z"', ("not_exact", "v")),
        (Timestamp(), '"2026-07-01T24:00:00Z"', ("wrong_type", "v")),
        (Timestamp(), '"2026-02-30T12:00:00Z"', ("wrong_type", "v")),
        (Timestamp(), '"infinity"', ("wrong_type", "v")),
        (Timestamp(), "1782907200", ("wrong_type", "v")),
        (Timestamp("Asia/Kolkata"), '"2026-07-01T12:00:00+99:00"', ("bad_time_zone", "v")),
        (STRUCT, "5", ("wrong_type", "v")),
        (STRUCT, '"text"', ("wrong_type", "v")),
        (STRUCT, "{}", ("required", "v.x")),
        (STRUCT, '{"x":1,"y":[2]}', ("wrong_type", "v.y")),
        (STRUCT, '{"x":1,"y":{"z":1.55}}', ("not_exact", "v.y.z")),
        (LIST, "7", ("wrong_type", "v")),
        (LIST, '{"sku":"a"}', ("wrong_type", "v")),
        (LIST, '[{"sku":"a"},5]', ("wrong_type", "v[]")),
        (LIST, '[{"tags":[]}]', ("required", "v[].sku")),
        (LIST, '[{"sku":"a","tags":[{"b":1}]}]', ("wrong_type", "v[].tags[]")),
        (ListOf(Integer()), '[1,"x"]', ("wrong_type", "v[]")),
    ],
)
def test_value_that_would_change_is_rejected(
    datatype: DataType, written: str, reason: tuple[str, str], tmp_path: Path
) -> None:
    line = f'{{"id":1,"v":{written}}}'.encode()

    built = build(contract(Column("v", datatype)), line + b"\n", tmp_path)

    assert built.rows == []
    assert built.rejected[0][:3] == ("raw/events/a", 1, line)
    assert reason in built.reasons


@pytest.mark.parametrize(
    ("datatype", "rules", "good", "bad", "code"),
    [
        (Integer(), Rules(minimum=Number(0)), "0", "-1", "below_minimum"),
        (Integer(), Rules(exclusive_minimum=Number(0)), "1", "0", "below_minimum"),
        (Decimal(6, 2), Rules(maximum=Number("9.99")), "9.99", "10", "above_maximum"),
        (Double(), Rules(exclusive_maximum=Number(1)), "0.5", "1.0", "above_maximum"),
        (Text(), Rules(allowed=("new", "it's")), '"it\'s"', '"old"', "not_allowed"),
        (Integer(), Rules(allowed=("1", "2")), "2", "3", "not_allowed"),
        (Text(), Rules(min_length=2), '"éé"', '"é"', "too_short"),
        (Text(), Rules(max_length=2), '"éé"', '"abc"', "too_long"),
        (Text(), Rules(pattern="^[A-Z]{3}$"), '"EUR"', '"euro"', "pattern_mismatch"),
    ],
)
def test_rule_rejects_what_breaks_it(
    datatype: DataType, rules: Rules, good: str, bad: str, code: str, tmp_path: Path
) -> None:
    lines = f'{{"id":1,"v":{good}}}\n{{"id":2,"v":{bad}}}\n{{"id":3}}\n'

    built = build(contract(Column("v", datatype, rules=rules)), lines.encode(), tmp_path)

    assert [row["id"] for row in built.rows] == [1, 3]
    assert built.reasons == {(code, "v")}


def test_every_reason_of_a_record_is_kept(tmp_path: Path) -> None:
    declared = contract(Column("a", Integer()), Column("b", Date()), Column("c", Text(), required=True))

    built = build(declared, b'{"id":1,"a":"x","b":"y"}\n', tmp_path)

    assert built.reasons == {("wrong_type", "a"), ("wrong_type", "b"), ("required", "c")}
