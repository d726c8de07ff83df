"""What a generated file is said to hold is what the transform finds in it."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal as Number
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sluice.contract import Column, Contract, CsvDialect, FileFormat, Rules, Source
from sluice.contract_file import read_contract
from sluice.datatypes import Boolean, Date, Decimal, Double, Field, Integer, Json, ListOf, Struct, Text, Timestamp
from sluice.errors import GenerationRefused, LandingRefused
from sluice.generating import GeneratedFile, Order, generate, plan_files
from sluice.manifest import RawObject, build_manifest
from sluice.transform import Transformed, transform

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTRACTS = Path(__file__).parents[3] / "pipeline_assets" / "datasets"
DAY, TODAY = date(2026, 11, 3), date(2026, 11, 20)

FLAT = (
    Column("id", Integer(), required=True),
    Column("code", Text(), required=True, unique=True, rules=Rules(pattern="^[A-Z]{2}-[0-9]{4,6}$")),
    Column("name", Text(), rules=Rules(min_length=3, max_length=12)),
    Column("state", Text(), required=True, rules=Rules(allowed=("new", "old"))),
    Column("price", Decimal(9, 3), required=True, rules=Rules(minimum=Number("0.5"), exclusive_maximum=Number(90))),
    Column("weight", Double(), rules=Rules(exclusive_minimum=Number(0))),
    Column("small", Integer(32), rules=Rules(maximum=Number(7))),
    Column("active", Boolean()),
    Column("due", Date(), rules=Rules(minimum="2026-11-01")),
    Column("signed", Date("%d.%m.%Y")),
    Column("at", Timestamp(), required=True),
    Column("local", Timestamp("Europe/Vienna", "%d/%m/%Y %H:%M:%S.%g")),
    Column("extra", Json()),
)
NESTED = (
    Column("place", Struct((Field("city", Text(), required=True), Field("since", Date("%Y%m%d"))))),
    Column("items", ListOf(Struct((Field("sku", Text()), Field("price", Decimal(10, 2)))))),
)


def declared(file_format: FileFormat, *columns: Column, key: tuple[str, ...] = ("id",), suffix: str = "") -> Contract:
    source = Source(f"things/date={{date}}/*.{file_format}{suffix}", file_format, CsvDialect(delimiter=";"))
    return Contract("things", "1.0.0", columns, source=source, primary_key=key, start=date(2026, 11, 1))


def of_project(dataset: str) -> Contract:
    path = CONTRACTS / dataset / "contract.yaml"
    return read_contract(path.read_text(encoding="utf-8"), path=str(path))


def made(order: Order) -> Mapping[str, GeneratedFile]:
    return {wanted.key: generate(wanted) for wanted in plan_files(order, TODAY)}


def built(contract: Contract, files: Mapping[str, GeneratedFile], workspace: Path) -> Transformed:
    objects = tuple(RawObject(key, "generated", len(item.body)) for key, item in files.items())
    return transform(
        contract,
        contract.source or Source("", FileFormat.JSONL),
        build_manifest(contract.dataset, DAY.isoformat(), objects),
        lambda item: io.BytesIO(files[item.key].body),
        workspace,
        run_id="run",
    )


@pytest.mark.parametrize(
    "contract",
    [
        pytest.param(of_project("orders"), id="orders"),
        pytest.param(of_project("payments"), id="payments"),
        pytest.param(declared(FileFormat.JSONL, *FLAT, *NESTED), id="jsonl"),
        pytest.param(declared(FileFormat.CSV, *FLAT, suffix=".zst"), id="csv"),
        pytest.param(declared(FileFormat.PARQUET, *FLAT, *NESTED), id="parquet"),
        pytest.param(declared(FileFormat.JSONL, *FLAT, key=("state", "id")), id="composite key"),
        pytest.param(declared(FileFormat.JSONL, *FLAT, key=("code",)), id="patterned key"),
    ],
)
def test_each_object_comes_to_what_was_said(contract: Contract, tmp_path: Path) -> None:
    files = made(Order(contract, (DAY,), files=3, rows_per_file=400, bad_share=0.1, duplicate_share=0.05))

    done = built(contract, files, tmp_path)

    found = {item.key: (item.records_in, item.published, item.quarantined, item.duplicates) for item in done.objects}
    assert found == dict.fromkeys(files, (400, 340, 40, 20))
    assert {(file.rows, file.published, sum(file.bad.values()), file.duplicates) for file in files.values()} == {
        (400, 340, 40, 20)
    }


@pytest.mark.parametrize("file_format", [FileFormat.JSONL, FileFormat.CSV, FileFormat.PARQUET])
def test_each_kind_of_bad_record_is_rejected_for_its_reason(file_format: FileFormat, tmp_path: Path) -> None:
    contract = declared(file_format, *FLAT)
    files = made(Order(contract, (DAY,), rows_per_file=300, bad_share=0.5))

    done = built(contract, files, tmp_path)

    ((said),) = [item.bad for item in files.values()]
    found = Counter[str]()
    for reason in done.reasons:
        found[reason.code] += reason.records
    assert {code: min(found[code], records) for code, records in said.items()} == dict(said)


def test_json_files_have_ten_kinds_of_bad_records() -> None:
    (file,) = made(Order(declared(FileFormat.JSONL, *FLAT), (DAY,), rows_per_file=200, bad_share=0.5)).values()

    assert set(file.bad) == {
        *("malformed_json", "not_an_object", "required", "wrong_type", "not_allowed", "pattern_mismatch"),
        *("below_minimum", "above_maximum", "too_long", "too_short"),
    }


def test_equal_orders_give_equal_bytes() -> None:
    order = Order(declared(FileFormat.JSONL, *FLAT), (DAY,), files=2, rows_per_file=50, bad_share=0.1)

    assert made(order) == made(order)
    assert [*made(replace(order, seed=8)).values()] != [*made(order).values()]


def test_a_file_does_not_depend_on_those_before_it() -> None:
    order = Order(declared(FileFormat.JSONL, *FLAT), (DAY,), files=3, rows_per_file=50)
    last = plan_files(order, TODAY)[-1]

    assert generate(last) == made(order)[last.key]


def test_keys_differ_between_files_and_days() -> None:
    contract = declared(FileFormat.CSV, Column("id", Integer(), required=True), Column("name", Text()))
    days = (date(2026, 11, 1), DAY)

    files = made(Order(contract, days, files=2, rows_per_file=100))

    keys = [line.split(b";")[0] for file in files.values() for line in file.body.splitlines()[1:]]
    assert len(set(keys)) == len(keys) == 400


def test_files_are_named_as_their_location_says() -> None:
    contract = declared(FileFormat.CSV, Column("id", Integer()), suffix=".gz")

    (file,) = plan_files(Order(contract, (DAY,), seed=9), TODAY)

    assert file.key == "things/date=2026-11-03/generated-9-00001.csv.gz"
    assert generate(file).body.startswith(b"\x1f\x8b")


@pytest.mark.parametrize(
    ("order", "words"),
    [
        pytest.param({"duplicate_share": 0.5, "bad_share": 0.6}, "together at most 1", id="more than all"),
        pytest.param({"duplicate_share": 0.5, "bad_share": 0.5}, "one good row", id="nothing to duplicate"),
        pytest.param({"bad_share": -0.1}, "from 0 to 1", id="negative"),
        pytest.param({"rows_per_file": 0}, "at least one date", id="no rows"),
        pytest.param({"days": ()}, "at least one date", id="no days"),
    ],
)
def test_an_impossible_order_is_refused(order: dict[str, object], words: str) -> None:
    wanted = replace(Order(declared(FileFormat.JSONL, *FLAT), (DAY,)), **order)  # type: ignore[arg-type]

    with pytest.raises(GenerationRefused, match=words):
        plan_files(wanted, TODAY)


def test_duplicates_need_a_key() -> None:
    with pytest.raises(GenerationRefused, match="no primaryKey"):
        plan_files(Order(declared(FileFormat.JSONL, *FLAT, key=()), (DAY,), duplicate_share=0.1), TODAY)


def test_a_key_with_too_few_values_is_refused() -> None:
    contract = declared(FileFormat.JSONL, Column("id", Integer(), required=True, rules=Rules(maximum=Number(7))))

    with pytest.raises(GenerationRefused, match="allows 7 different values of id; 8 rows a day"):
        made(Order(contract, (DAY,), rows_per_file=8))


def test_derived_datasets_are_refused() -> None:
    with pytest.raises(GenerationRefused, match=r"derived by its transform\.sql"):
        plan_files(Order(Contract("sums", "1", FLAT, transform_sql="select 1"), (DAY,)), TODAY)


def test_dates_to_come_are_refused() -> None:
    with pytest.raises(LandingRefused, match="in the future"):
        plan_files(Order(declared(FileFormat.JSONL, *FLAT), (date(2026, 11, 21),)), TODAY)


def test_a_location_for_one_file_refuses_two() -> None:
    contract = replace(of_project("orders"), source=Source("orders/{date}/all.jsonl", FileFormat.JSONL))

    with pytest.raises(GenerationRefused, match="one file a day"):
        plan_files(Order(contract, (DAY,), files=2), TODAY)
    assert [item.key for item in plan_files(Order(contract, (DAY,)), TODAY)] == ["orders/2026-11-03/all.jsonl"]
