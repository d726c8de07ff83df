"""Objects that have grown apart from their contract: told, and quarantined whole where the contract wants that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sluice.contract import Column, DriftPolicy, UnknownFields
from sluice.datatypes import Decimal, Integer, Text, Timestamp
from sluice.drift_kind import DriftKind, is_drift
from tests.sluice.transform.builder import build, contract, csv_contract

if TYPE_CHECKING:
    from pathlib import Path

AMOUNT = Column("amount", Decimal(9, 2), required=True)
QUARANTINE = DriftPolicy.QUARANTINE


def lines(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


HEALTHY = lines({"id": 1, "amount": 1}, {"id": 2, "amount": 2})
GROWN = lines({"id": 3, "amount": 3, "channel": "web"}, {"id": 4, "amount": 4})


def test_an_object_with_a_new_field_is_quarantined_whole_and_its_neighbour_is_published(tmp_path: Path) -> None:
    built = build(contract(AMOUNT, drift=QUARANTINE), {"a": HEALTHY, "b": GROWN}, tmp_path)

    assert [row["id"] for row in built.rows] == [1, 2]
    why = {("schema_drift", "channel")}
    raws = GROWN.splitlines()
    assert built.rejected == [("b", 1, raws[0], why), ("b", 2, raws[1], why)]
    assert [(item.published, item.quarantined, item.closes) for item in built.done.objects] == [
        (2, 0, True),
        (0, 2, True),
    ]


@pytest.mark.parametrize("policy", [DriftPolicy.IGNORE, DriftPolicy.EVOLVE])
def test_otherwise_it_is_told_and_published(policy: DriftPolicy, tmp_path: Path) -> None:
    built = build(contract(AMOUNT, drift=policy), {"a": HEALTHY, "b": GROWN}, tmp_path)

    assert [row["id"] for row in built.rows] == [1, 2, 3, 4]
    (found,) = built.done.drift
    assert (found.key, found.kind, found.field, found.records) == ("b", DriftKind.UNKNOWN, "channel", 1)


@pytest.mark.parametrize(
    ("objects", "drifted"),
    [
        pytest.param([{"id": 3}, {"id": 4}], {("schema_drift", "amount")}, id="missing in all records"),
        pytest.param([{"id": 3}, {"id": 4, "amount": 4}], {("required", "amount")}, id="missing in one"),
        pytest.param(
            [{"id": 3, "amount": "dear"}, {"id": 4, "amount": "cheap"}, {"id": 5, "amount": 5}],
            {("schema_drift", "amount")},
            id="retyped in most",
        ),
        pytest.param(
            [{"id": 3, "amount": "dear"}, {"id": 5, "amount": 5}], {("wrong_type", "amount")}, id="retyped in half"
        ),
        pytest.param([{"id": 3, "amount": 1.234}], {("schema_drift", "amount")}, id="more digits than declared"),
        pytest.param([{"id": 3, "total": 5}], {("schema_drift", "amount"), ("schema_drift", "total")}, id="renamed"),
    ],
)
def test_bad_records_are_no_drift_until_they_are_most(
    objects: list[dict[str, Any]], drifted: set[tuple[str, str]], tmp_path: Path
) -> None:
    built = build(contract(AMOUNT, drift=QUARANTINE), {"a": HEALTHY, "b": lines(*objects)}, tmp_path)

    assert built.reasons == drifted
    assert all(item.closes for item in built.done.objects)


def test_a_field_in_few_records_is_no_drift(tmp_path: Path) -> None:
    records = [{"id": number, "amount": 1} for number in range(300)]
    odd = lines(*records, {"id": 300, "amount": 1, "x": 0})

    built = build(contract(AMOUNT, drift=QUARANTINE), odd, tmp_path)

    assert len(built.rows) == 301
    assert built.done.unknown_fields == ("x",)


@pytest.mark.parametrize(
    ("kind", "records", "counts"),
    [
        pytest.param(DriftKind.UNKNOWN, 1, True, id="one in a hundred"),
        pytest.param(DriftKind.UNKNOWN, 0, False, id="none"),
        pytest.param(DriftKind.MISSING, 99, False, id="missing in nearly all"),
        pytest.param(DriftKind.MISSING, 100, True, id="missing in all"),
        pytest.param(DriftKind.RETYPED, 50, False, id="half"),
        pytest.param(DriftKind.RETYPED, 51, True, id="most"),
    ],
)
def test_each_kind_has_its_share(kind: DriftKind, records: int, counts: bool) -> None:  # noqa: FBT001  a table's column
    assert is_drift(kind, records, 100) is counts


def test_what_readers_reject_in_a_drifted_object_keeps_its_reason(tmp_path: Path) -> None:
    built = build(contract(AMOUNT, drift=QUARANTINE), GROWN + b"\xff\n{broken\n", tmp_path)

    assert [(line, reasons) for _, line, _, reasons in built.rejected] == [
        (1, {("schema_drift", "channel")}),
        (2, {("schema_drift", "channel")}),
        (3, {("invalid_utf8", None)}),
        (4, {("schema_drift", "channel")}),
    ]
    assert all(item.closes for item in built.done.objects)


def test_a_drifted_object_supersedes_nothing(tmp_path: Path) -> None:
    grown = lines({"id": 1, "amount": 9, "channel": "web"})

    built = build(contract(AMOUNT, primary_key=("id",), drift=QUARANTINE), {"a": HEALTHY, "b": grown}, tmp_path)

    assert [(row["id"], row["amount"]) for row in built.rows] == [(1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("header", "why"),
    [
        pytest.param(b"id,amount,kanal\n3,1,x\n", {("schema_drift", "kanal")}, id="a further field"),
        pytest.param(b"id,kanal\n3,x\n", {("schema_drift", "amount"), ("schema_drift", "kanal")}, id="a renamed one"),
    ],
)
@pytest.mark.parametrize("unknown", list(UnknownFields))
def test_a_header_that_drifted_is_quarantined_record_by_record(
    header: bytes, why: set[tuple[str, str]], unknown: UnknownFields, tmp_path: Path
) -> None:
    declared = csv_contract(AMOUNT, drift=QUARANTINE, unknown_fields=unknown)

    built = build(declared, {"a": b"id,amount\n1,1\n", "b": header}, tmp_path)

    assert built.rejected == [("b", 2, header.splitlines()[1], why)]
    assert [row["id"] for row in built.rows] == [1]


def test_a_header_that_does_not_fit_is_told_as_drift_without_the_policy(tmp_path: Path) -> None:
    built = build(csv_contract(AMOUNT), {"a": b"id,amount\n1,1\n", "b": b"id,total\n3,1\n"}, tmp_path)

    assert built.reasons == {("header_mismatch", None)}
    assert [(item.key, item.kind, item.field) for item in built.done.drift] == [
        ("b", DriftKind.MISSING, "amount"),
        ("b", DriftKind.UNKNOWN, "total"),
    ]


def test_a_zone_that_is_not_named_any_more_is_a_retyped_column(tmp_path: Path) -> None:
    declared = contract(Column("at", Timestamp()), Column("note", Text()), drift=QUARANTINE)

    built = build(declared, lines({"id": 1, "at": "2026-11-01T10:00:00"}), tmp_path)

    assert built.reasons == {("schema_drift", "at")}


def test_names_that_are_data_are_told_up_to_a_bound(tmp_path: Path) -> None:
    built = build(contract(), lines(*({"id": n, f"x{n}": n} for n in range(200))), tmp_path)

    assert len(built.done.drift) == 50


def test_the_key_column_counts_as_any_other(tmp_path: Path) -> None:
    built = build(contract(Column("n", Integer()), drift=QUARANTINE), lines({"ID": 1, "n": 2}), tmp_path)

    assert built.reasons == {("schema_drift", "ID"), ("schema_drift", "id")}
