from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from sluice.contract import Column, Contract, CsvDialect, FileFormat, Shim, Source
from sluice.datatypes import DataType, Decimal, Double, Integer, Text, Timestamp
from sluice.drift import Drift, drift_of, next_version
from sluice.drift_kind import DriftKind
from sluice.inference import Limits, SampleFile
from sluice.inference.fields import SeenField, SeenObject, observe_object
from sluice.outcome import ObjectBalance, Outcome, ReasonCount

CONTRACT = Contract(
    "orders",
    "1.2.7",
    (Column("order_id", Integer(), required=True), Column("amount", Decimal(12, 2)), Column("note", Text())),
    source=Source("orders/date={date}/*.jsonl", FileFormat.JSONL),
)


def seen(key: str = "a", records: int = 10, **types: DataType) -> SeenObject:
    return SeenObject(key, records, {name: SeenField(kind, records) for name, kind in types.items()})


def as_declared(key: str = "a", records: int = 10, **more: DataType) -> SeenObject:
    return seen(key, records, order_id=Integer(), amount=Decimal(12, 2), note=Text(), **more)


def rejected(key: str, column: str, records: int) -> Outcome:
    balance = ObjectBalance(key=key, etag="e", records_in=10, published=10 - records, quarantined=records, duplicates=0)
    return Outcome(
        dataset="orders",
        partition="2026-11-03",
        fingerprint="f",
        contract_version="1",
        contract_fingerprint="c",
        code_version="1",
        run_id="run",
        objects=(balance,),
        files=(),
        quarantine_files=(),
        reasons=(ReasonCount(key=key, code="wrong_type", column=column, records=records),),
    )


def test_files_that_are_as_declared_have_no_drift() -> None:
    assert drift_of(CONTRACT, [as_declared("a"), as_declared("b")], None) == ()


def test_a_field_that_is_not_declared_is_told_with_its_share() -> None:
    (found,) = drift_of(CONTRACT, [as_declared("a"), as_declared("b", records=30, channel=Text())], None)

    assert found == Drift(DriftKind.UNKNOWN, "channel", ("b",), 30, 40, seen_type=Text())
    assert found.share == 0.75


def test_a_field_that_differs_by_case_is_another_name_of_the_column() -> None:
    """The transform tells them apart, as JSON does."""
    found = drift_of(CONTRACT, [seen(Order_ID=Integer(), AMOUNT=Double(), note=Text())], None)

    assert [(item.field, item.may_be) for item in found] == [
        ("Order_ID", "order_id"),
        ("AMOUNT", "amount"),
        ("order_id", "Order_ID"),
        ("amount", "AMOUNT"),
    ]


def test_another_name_that_is_declared_is_no_drift() -> None:
    columns = (replace(CONTRACT.columns[0], shim=Shim(also_called=("Order_ID",))), *CONTRACT.columns[1:])
    objects = [seen(Order_ID=Integer(), amount=Double(), note=Text())]

    assert drift_of(replace(CONTRACT, columns=columns), objects, None) == ()


def test_the_only_field_that_came_is_the_only_column_that_went_if_its_type_fits() -> None:
    renamed = seen("b", order_id=Integer(), qty=Decimal(9, 1), note=Text())
    other = seen("b", order_id=Integer(), qty=Text(), note=Text())

    assert [item.may_be for item in drift_of(CONTRACT, [as_declared("a"), renamed], None)] == ["amount"]
    assert [item.may_be for item in drift_of(CONTRACT, [as_declared("a"), other], None)] == [None]


def test_a_required_column_that_one_object_lacks_is_missing_there() -> None:
    (found,) = drift_of(CONTRACT, [as_declared("a"), seen("b", amount=Decimal(12, 2), note=Text())], None)

    assert (found.kind, found.field, found.objects, found.records) == (DriftKind.MISSING, "order_id", ("b",), 10)


def test_a_column_that_may_be_empty_is_missing_only_when_no_object_has_it() -> None:
    without = seen("b", order_id=Integer(), amount=Decimal(12, 2))

    assert drift_of(CONTRACT, [as_declared("a"), without], None) == ()
    assert [item.field for item in drift_of(CONTRACT, [without], None)] == ["note"]


def test_an_object_without_records_lacks_nothing() -> None:
    assert drift_of(CONTRACT, [as_declared("a"), SeenObject("b", 0)], None) == ()


@pytest.mark.parametrize(
    ("wrong", "kinds"),
    [
        pytest.param(6, [DriftKind.RETYPED], id="most records"),
        pytest.param(5, [], id="half of them"),
        pytest.param(1, [], id="a bad value"),
    ],
)
def test_a_column_is_retyped_where_most_of_an_objects_records_are_of_another_type(
    wrong: int, kinds: list[DriftKind]
) -> None:
    odd = seen("a", order_id=Text(), amount=Decimal(12, 2), note=Text())

    found = drift_of(CONTRACT, [odd], rejected("a", "order_id", wrong))

    assert [item.kind for item in found] == kinds
    assert [(item.records, item.seen_type) for item in found] == [(wrong, Text())] * len(kinds)


def test_a_field_that_came_while_an_alike_one_went_may_be_its_new_name() -> None:
    renamed = seen("a", orderid=Integer(), amount=Decimal(12, 2), note=Text())

    unknown, missing = drift_of(CONTRACT, [renamed], None)

    assert (unknown.field, unknown.may_be) == ("orderid", "order_id")
    assert (missing.field, missing.may_be) == ("order_id", "orderid")


@pytest.mark.parametrize(
    ("types", "together"),
    [
        pytest.param([Integer(), Integer()], Integer(), id="the same"),
        pytest.param([Integer(), Decimal(9, 4)], Double(), id="numbers"),
        pytest.param([Integer(), Timestamp()], Text(), id="anything else"),
    ],
)
def test_an_unknown_field_gets_a_type_that_fits_all_objects(types: list[DataType], together: DataType) -> None:
    objects = [as_declared(key, extra=kind) for key, kind in zip("ab", types, strict=True)]

    assert [item.seen_type for item in drift_of(CONTRACT, objects, None)] == [together]


@pytest.mark.parametrize(
    ("version", "following"), [("1.2.7", "1.3.0"), ("10.9.0", "10.10.0"), ("2026-11", "2026-11-next")]
)
def test_a_further_column_is_a_minor_version(version: str, following: str) -> None:
    assert next_version(version) == following


def sample(text: str) -> SampleFile:
    return SampleFile("a", lambda: io.BytesIO(text.encode()))


def test_an_object_is_read_as_its_contract_says() -> None:
    lines = "".join(json.dumps({"order_id": n, "channel": "web"}) + "\n" for n in range(30))

    found = observe_object(sample(lines + "{broken\n"), Source("", FileFormat.JSONL), Limits())

    assert found.records == 30
    assert {name: item.type for name, item in found.fields.items()} == {"order_id": Integer(), "channel": Text()}


def test_a_csv_object_is_read_with_the_contracts_dialect() -> None:
    source = Source("", FileFormat.CSV, CsvDialect(delimiter=";"))

    found = observe_object(sample("order_id;kanal\n1;web\n2;shop\n"), source, Limits())

    assert (found.records, sorted(found.fields)) == (2, ["kanal", "order_id"])
