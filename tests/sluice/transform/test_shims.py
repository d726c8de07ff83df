"""Columns that files do not hold as declared: other names, defaults, values of other types."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal as Number
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice.contract import Column, FileFormat, Shim, Source, UnknownFields
from sluice.datatypes import Boolean, DataType, Date, Decimal, Double, Field, Integer, ListOf, Struct, Text, Timestamp
from tests.sluice.transform.builder import build, contract, csv_contract

if TYPE_CHECKING:
    from pathlib import Path

AMOUNT = Column("amount", Decimal(20, 2), shim=Shim(also_called=("total", "Amount")))


def lines(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def test_a_field_is_read_under_each_of_its_names(tmp_path: Path) -> None:
    text = b'{"id": 1, "total": 123456789012345678.12}\n{"id": 2, "amount": 2}\n{"id": 3, "Amount": 3}\n{"id": 4}\n'

    built = build(contract(AMOUNT, unknown_fields=UnknownFields.REJECT), text, tmp_path)

    expected = [Number("123456789012345678.12"), Number(2), Number(3), None]
    assert [row["amount"] for row in built.rows] == expected
    assert built.rejected == []
    assert built.done.unknown_fields == ()


def test_two_names_with_one_value_are_one_value_and_two_values_are_none(tmp_path: Path) -> None:
    built = build(
        contract(AMOUNT), lines({"id": 1, "amount": 5, "total": 5}, {"id": 2, "amount": 5, "total": 7}), tmp_path
    )

    assert [row["id"] for row in built.rows] == [1]
    assert built.reasons == {("duplicate_field", None)}


def test_an_unknown_field_is_seen_beside_another_name(tmp_path: Path) -> None:
    """The other name is shorter than the declared one, and names are listed only in lines that are long enough."""
    column = Column("a_rather_long_name_of_a_column", Integer(), shim=Shim(also_called=("n",)))

    built = build(contract(column), lines({"id": 1, "n": 2, "x": 0}), tmp_path)

    assert built.done.unknown_fields == ("x",)


def test_a_default_hides_no_unknown_field(tmp_path: Path) -> None:
    column = Column("channel", Text(), shim=Shim(default="a rather long text that no line holds"))

    built = build(contract(column), lines({"id": 1, "x": 0}), tmp_path)

    assert built.done.unknown_fields == ("x",)


def test_a_renamed_object_is_read_with_its_members(tmp_path: Path) -> None:
    shipping = Column(
        "shipping", Struct((Field("city", Text()), Field("tags", ListOf(Text())))), shim=Shim(also_called=("ship",))
    )

    built = build(
        contract(shipping), lines({"id": 1, "ship": {"city": "Ulm", "tags": ["a"]}}, {"id": 2, "ship": 3}), tmp_path
    )

    assert built.rows == [{"id": 1, "shipping": {"city": "Ulm", "tags": ["a"]}}]
    assert built.reasons == {("wrong_type", "shipping")}


def test_a_default_stands_for_a_missing_value_and_for_null(tmp_path: Path) -> None:
    column = Column("amount", Decimal(9, 2), required=True, shim=Shim(default="1.50"))

    built = build(contract(column), lines({"id": 1}, {"id": 2, "amount": None}, {"id": 3, "amount": 7}), tmp_path)

    assert [row["amount"] for row in built.rows] == [Number("1.50"), Number("1.50"), Number(7)]


def test_a_default_stands_for_no_wrong_value(tmp_path: Path) -> None:
    built = build(
        contract(Column("amount", Integer(), shim=Shim(default="1"))), lines({"id": 1, "amount": "dear"}), tmp_path
    )

    assert built.reasons == {("wrong_type", "amount")}


@pytest.mark.parametrize(
    ("datatype", "written", "value"),
    [
        pytest.param(Integer(), True, 1, id="a boolean as integer"),
        pytest.param(Decimal(9, 2), "12.5", Number("12.50"), id="text as decimal"),
        pytest.param(Double(), "", None, id="empty text as number"),
        pytest.param(Text(), 12, "12", id="a number as text"),
        pytest.param(Text(), {"a": [1]}, '{"a":[1]}', id="an object as text"),
        pytest.param(Boolean(), 1, True, id="1"),
        pytest.param(Boolean(), "No", False, id="no"),
        pytest.param(Date(), "2026-11-01T00:00:00Z", date(2026, 11, 1), id="midnight as date"),
        pytest.param(Timestamp(), 1762300800, datetime(2025, 11, 5, tzinfo=UTC), id="seconds"),
        pytest.param(Timestamp(), 1762300800.25, datetime(2025, 11, 5, 0, 0, 0, 250000, UTC), id="parts of seconds"),
        pytest.param(Timestamp(), 1762300800250, datetime(2025, 11, 5, 0, 0, 0, 250000, UTC), id="milliseconds"),
        pytest.param(Timestamp(), "1762300800000001", datetime(2025, 11, 5, 0, 0, 0, 1, UTC), id="microseconds"),
        pytest.param(Timestamp(), "2026-11-01T00:00:00Z", datetime(2026, 11, 1, tzinfo=UTC), id="as declared"),
    ],
)
def test_a_cast_takes_what_converts_without_loss(
    datatype: DataType, written: object, value: object, tmp_path: Path
) -> None:
    built = build(contract(Column("c", datatype, shim=Shim(cast=True))), lines({"id": 1, "c": written}), tmp_path)

    assert built.rows == [{"id": 1, "c": value}]


@pytest.mark.parametrize(
    ("datatype", "written", "code"),
    [
        pytest.param(Integer(), 12.5, "not_exact", id="a fraction as integer"),
        pytest.param(Integer(), "yes", "wrong_type", id="a word as integer"),
        pytest.param(Boolean(), 2, "wrong_type", id="2 as boolean"),
        pytest.param(Date(), "2026-11-01T00:00:01Z", "wrong_type", id="a moment as date"),
        pytest.param(Date(), "2026-11-01T00:00:00+01:00", "wrong_type", id="midnight elsewhere as date"),
        pytest.param(Timestamp(), 20261101, "wrong_type", id="too few digits"),
        pytest.param(Timestamp(), 17623008000, "wrong_type", id="neither seconds nor milliseconds"),
    ],
)
def test_a_cast_takes_nothing_that_would_lose_or_guess(
    datatype: DataType, written: object, code: str, tmp_path: Path
) -> None:
    built = build(contract(Column("c", datatype, shim=Shim(cast=True))), lines({"id": 1, "c": written}), tmp_path)

    assert built.reasons == {(code, "c")}


def test_a_header_may_hold_other_names(tmp_path: Path) -> None:
    declared = csv_contract(
        Column("amount", Integer(), required=True, shim=Shim(also_called=("total",))),
        Column("channel", Text(), required=True, shim=Shim(default="web")),
    )

    built = build(declared, {"a": b"id,total\n1,5\n", "b": b"id,amount,total\n2,5,6\n3,,7\n"}, tmp_path)

    assert built.rows == [{"id": 1, "amount": 5, "channel": "web"}, {"id": 3, "amount": 7, "channel": "web"}]
    assert [(key, line, reasons) for key, line, _, reasons in built.rejected] == [("b", 2, {("duplicate_field", None)})]


def test_a_field_of_a_header_that_no_column_has_is_reported(tmp_path: Path) -> None:
    built = build(csv_contract(Column("amount", Integer())), b"id,amount,kanal\n1,5,web\n", tmp_path)

    assert built.rows == [{"id": 1, "amount": 5}]
    assert built.done.unknown_fields == ("kanal",)


def test_shims_work_for_parquet(tmp_path: Path) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": [1], "total": ["1.5"], "at": [1762300800]}), file)
    declared = contract(
        AMOUNT, Column("at", Timestamp(), shim=Shim(cast=True)), source=Source("x/{date}/*", FileFormat.PARQUET)
    )

    built = build(declared, file.getvalue(), tmp_path)

    assert built.rows == [{"id": 1, "amount": Number("1.50"), "at": datetime(2025, 11, 5, tzinfo=UTC)}]
