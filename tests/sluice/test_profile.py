from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal as Number
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice.contract import Column, Contract
from sluice.datatypes import Boolean, Date, Decimal, Double, Field, Integer, Json, ListOf, Struct, Text, Timestamp
from sluice.gate_rules import Expected, GateRules, Metric
from sluice.outcome import ObjectBalance, Outcome, StagedFile
from sluice.profile import METRIC_KINDS, Profile, declared_schema, measure
from sluice.profile.repeated_keys import repeated_keys
from sluice.profile.staged_rows import open_staged
from tests.sluice.transform.builder import build, contract

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EVERY_TYPE = (
    Column("a_text", Text()),
    Column("a_small", Integer(32)),
    Column("a_decimal", Decimal(30, 4)),
    Column("a_double", Double()),
    Column("a_boolean", Boolean()),
    Column("a_date", Date()),
    Column("an_instant", Timestamp()),
    Column("a_json", Json()),
    Column("a struct", Struct((Field('a "b"', Integer()), Field("tags", ListOf(Text()))))),
    Column("a_list", ListOf(Struct((Field("at", Timestamp()),)))),
    Column("date", Date()),
    Column("a_tiny_decimal", Decimal(3, 1)),
    Column("a_matrix", ListOf(ListOf(Integer(32)))),
)
FULL = (
    b'{"id":1,"a_text":"x","a_small":1,"a_decimal":1.5,"a_double":0.5,"a_boolean":true,"a_date":"2026-11-01",'
    b'"an_instant":"2026-11-01T00:00:00Z","a_json":{"x":1},"a struct":{"a \\"b\\"":1,"tags":["t"]},'
    b'"a_list":[{"at":"2026-11-01T00:00:00Z"}],"date":"2020-02-02","a_tiny_decimal":0.5,"a_matrix":[[1]]}\n'
)
NUMBERS = Contract(
    "orders",
    "1.0.0",
    (Column("id", Integer()), Column("amount", Decimal(12, 2)), Column("rate", Double()), Column("day", Date())),
)


def outcome(paths: Sequence[Path], *, records_in: int = 10) -> Outcome:
    balance = ObjectBalance(key="a", etag="e", records_in=records_in, published=7, quarantined=2, duplicates=1)
    return Outcome(
        dataset="orders",
        partition="2026-11-01",
        fingerprint="f",
        contract_version="1.0.0",
        contract_fingerprint="c",
        code_version="1",
        run_id="run",
        objects=(balance,),
        files=tuple(StagedFile(key=path.name, records=0, size_bytes=path.stat().st_size) for path in paths),
        quarantine_files=(),
        bytes_in=1234,
        seconds=2.5,
    )


def measured(declared: Contract, *paths: Path) -> Profile:
    return measure(declared, outcome(paths), [str(path) for path in paths])


def staged(tmp_path: Path, rows: str, name: str = "part.parquet", columns: str = "id, amount, rate, day") -> Path:
    """Write rows, given as a VALUES list, as the transform would write them."""
    path = tmp_path / name
    types = "id::BIGINT AS id, amount::DECIMAL(12,2) AS amount, rate::DOUBLE AS rate, day::DATE AS day"
    typed = f"SELECT {types} FROM (VALUES {rows}) AS rows(id, amount, rate, day)"
    duckdb.execute(f"COPY (SELECT {columns}, DATE '2026-11-01' AS partition_date FROM ({typed})) TO '{path}'")
    return path


def asking(*metrics: Metric, declared: Contract = NUMBERS) -> Contract:
    return replace(declared, gates=GateRules(metrics=tuple(map(Expected, metrics))))


ROWS = "(1, 1.50, 0.5, '2026-11-01'), (2, 2.50, NULL, NULL), (3, NULL, 1.5, '2026-11-02'), (3, 2.50, NULL, NULL)"


def test_what_the_transform_writes_has_the_declared_schema(tmp_path: Path) -> None:
    declared = contract(*EVERY_TYPE)

    profile = measured(declared, build(declared, FULL, tmp_path).done.published)

    assert profile.schema == declared_schema(declared)
    assert profile.schema[-1] == ("partition_date", "DATE")


def test_nulls_of_every_type_are_counted(tmp_path: Path) -> None:
    declared = contract(
        *EVERY_TYPE, gates=GateRules(max_null_shares=(("a struct", 1.0), ("a_list", 1.0), ("a_matrix", 1.0)))
    )
    built = build(declared, FULL + b'{"id":2}\n{"id":3,"a_text":"y"}\n', tmp_path)

    nulls = measured(declared, built.done.published).nulls

    assert nulls == {column.name: 2 for column in EVERY_TYPE} | {"id": 0, "a_text": 1, "partition_date": 0}


def test_nested_columns_without_limit_are_not_read(tmp_path: Path) -> None:
    declared = contract(*EVERY_TYPE)

    assert "a_list" not in measured(declared, build(declared, FULL, tmp_path).done.published).nulls


def test_nulls_that_a_footer_does_not_tell_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    pq.write_table(pq.read_table(staged(tmp_path, ROWS)), path, write_statistics=False)
    limited = replace(NUMBERS, gates=GateRules(max_null_shares=(("rate", 0.5),)))

    assert measured(limited, path).nulls == {"rate": 2}


def test_nulls_that_one_of_several_footers_does_not_tell_are_counted(tmp_path: Path) -> None:
    told, untold = staged(tmp_path, ROWS, "1.parquet"), tmp_path / "2.parquet"
    pq.write_table(pq.read_table(told), untold, write_statistics=False)
    limited = replace(NUMBERS, gates=GateRules(max_null_shares=(("rate", 0.5),)))

    assert measured(limited, told, untold).nulls == {"rate": 4}


def test_bytes_of_nested_leaves_are_summed_and_names_may_hold_dots(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    table = pa.table({"a.b": [1, None], "a": [{"b": 1, "c": ["x"]}, None]})
    pq.write_table(table, path)
    chunks = [pq.read_metadata(path).row_group(0).column(number).total_compressed_size for number in range(3)]

    profile = measured(NUMBERS, path)

    assert profile.column_bytes == {"a.b": chunks[0], "a": chunks[1] + chunks[2]}
    assert profile.nulls == {"a.b": 1}


def test_the_folder_is_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "date=2026-11-01"
    folder.mkdir()
    declared = contract(Column("date", Date()), primary_key=("date",))
    records = b'{"id":1,"date":"1970-01-02"}\n{"id":2,"date":"1970-01-03"}\n'

    assert measured(declared, build(declared, records, folder).done.published).repeated_keys == 0


def test_files_are_told_in_order_and_added_up(tmp_path: Path) -> None:
    first, second = staged(tmp_path, ROWS, "1.parquet"), staged(tmp_path, "(9, 9, 9, NULL)", "2.parquet")

    profile = measured(replace(NUMBERS, primary_key=("id",)), first, second)

    assert [(file.key, file.records, file.row_group_records) for file in profile.files] == [
        ("1.parquet", 4, (4,)),
        ("2.parquet", 1, (1,)),
    ]
    assert profile.nulls == {"id": 0, "amount": 1, "rate": 2, "day": 3, "partition_date": 0}
    assert (profile.records, profile.repeated_keys, profile.metrics["row_count"]) == (5, 1, 5)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        pytest.param(Metric("mean", "amount"), 6.5 / 3, id="mean of decimals"),
        pytest.param(Metric("sum", "amount"), 6.5, id="sum"),
        pytest.param(Metric("minimum", "rate"), 0.5, id="minimum"),
        pytest.param(Metric("maximum", "id"), 3, id="maximum"),
        pytest.param(Metric("maximum", "day"), 1_793_577_600, id="maximum of dates in seconds"),
        pytest.param(Metric("distinct_count", "id"), 3, id="distinct"),
        pytest.param(Metric("distinct_count", "rate"), 2, id="null is no value"),
        pytest.param(Metric("null_share", "rate"), 0.5, id="null share"),
    ],
)
def test_metric_of_a_column(tmp_path: Path, metric: Metric, value: float) -> None:
    profile = measured(asking(metric), staged(tmp_path, ROWS))

    assert profile.metrics[str(metric)] == pytest.approx(value)


def test_metrics_of_the_partition_are_always_measured(tmp_path: Path) -> None:
    path = staged(tmp_path, ROWS)

    assert measured(NUMBERS, path).metrics == {
        "row_count": 4,
        "bytes_in": 1234,
        "bytes_out": path.stat().st_size,
        "seconds": 2.5,
        "rejected_share": 0.2,
        "duplicate_share": 0.1,
    }


@pytest.mark.parametrize("kind", [kind for kind, about in METRIC_KINDS.items() if about.needs_column])
def test_every_kind_of_column_metric_is_measured(tmp_path: Path, kind: str) -> None:
    profile = measured(asking(Metric(kind, "id")), staged(tmp_path, ROWS))

    assert f"{kind}(id)" in profile.metrics


def test_shares_of_no_records_are_left_out() -> None:
    profile = measure(NUMBERS, outcome([], records_in=0), [])

    assert set(profile.metrics) == {"row_count", "bytes_in", "bytes_out", "seconds"}


def test_a_metric_without_value_is_left_out(tmp_path: Path) -> None:
    declared = asking(Metric("mean", "rate"), Metric("sum", "rate"))

    nulls = measured(declared, staged(tmp_path, "(1, 1, NULL, NULL)"))
    infinite = measured(declared, staged(tmp_path, "(1, 1, 1e308, NULL), (2, 1, 1e308, NULL)"))

    assert not {"mean(rate)", "sum(rate)"} & {*nulls.metrics, *infinite.metrics}


def test_decimals_are_added_exactly(tmp_path: Path) -> None:
    path = staged(tmp_path, ", ".join(["(1, 0.10, NULL, NULL)"] * 3))

    assert measured(asking(Metric("sum", "amount")), path).metrics["sum(amount)"] == 0.3


def test_the_widest_decimals_can_be_added(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    wide = pa.array([Number("9" * 38)] * 2, pa.decimal128(38, 0))
    days = pa.array([0, 0], pa.date32())
    pq.write_table(pa.table({"wide": wide, "partition_date": days}), path)
    declared = asking(Metric("sum", "wide"), declared=Contract("wide", "1", (Column("wide", Decimal(38, 0)),)))

    assert math.isclose(measured(declared, path).metrics["sum(wide)"], 2e38)


@pytest.mark.parametrize(
    ("key", "repeated", "sample"),
    [
        pytest.param(("id",), 1, ({"id": 3, "records": 2},), id="one column"),
        pytest.param(("id", "amount"), 0, (), id="several columns, no record repeated"),
        pytest.param(("day",), 1, ({"day": None, "records": 2},), id="nulls repeat too"),
        pytest.param(("amount",), 1, ({"amount": "2.50", "records": 2},), id="what is no cell is text"),
    ],
)
def test_records_beyond_the_first_of_a_key_are_counted(
    tmp_path: Path, key: tuple[str, ...], repeated: int, sample: tuple[dict[str, Any], ...]
) -> None:
    profile = measured(replace(NUMBERS, primary_key=key), staged(tmp_path, ROWS))

    assert (profile.repeated_keys, profile.repeated_key_sample) == (repeated, sample)


@pytest.mark.parametrize("repeated", range(6))
def test_a_key_repeated_in_any_slice_is_found(tmp_path: Path, repeated: int) -> None:
    path = staged(tmp_path, ", ".join(f"({number}, {number}, 0, NULL)" for number in [*range(40), repeated]))

    with open_staged([str(path)], tmp_path) as connection:
        total, sample = repeated_keys(connection, ["id"], 41, slice_records=5)

    assert (total, sample) == (1, ({"id": repeated, "records": 2},))


def test_different_keys_in_several_slices_are_unique(tmp_path: Path) -> None:
    path = staged(tmp_path, ", ".join(f"({number}, 0, 0, NULL)" for number in range(40)))

    with open_staged([str(path)], tmp_path) as connection:
        assert repeated_keys(connection, ["id"], 40, slice_records=5) == (0, ())


def test_at_most_ten_repeated_keys_are_shown(tmp_path: Path) -> None:
    path = staged(tmp_path, ", ".join(f"({number % 20}, 1, 1, NULL)" for number in range(60)))

    profile = measured(replace(NUMBERS, primary_key=("id",)), path)

    assert (profile.repeated_keys, len(profile.repeated_key_sample)) == (40, 10)


def test_a_partition_without_files_has_no_columns() -> None:
    declared = replace(asking(Metric("mean", "rate")), primary_key=("id",))

    profile = measure(declared, outcome([]), [])

    assert (profile.files, profile.schema, profile.repeated_keys) == ((), (), 0)
    assert profile.metrics["row_count"] == 0


def test_a_file_without_records_has_columns_and_no_values(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    pq.write_table(pq.read_table(staged(tmp_path, ROWS)).slice(0, 0), path)

    profile = measured(replace(asking(Metric("distinct_count", "rate")), primary_key=("id",)), path)

    assert profile.schema == declared_schema(NUMBERS)
    assert profile.column_bytes.keys() == dict(declared_schema(NUMBERS)).keys()
    assert "distinct_count(rate)" not in profile.metrics


def test_of_other_columns_than_the_declared_no_value_is_read(tmp_path: Path) -> None:
    right, wrong = staged(tmp_path, ROWS, "1.parquet"), staged(tmp_path, ROWS, "2.parquet", "id, rate AS amount")
    declared = replace(asking(Metric("mean", "amount")), primary_key=("id",))

    profile = measured(declared, right, wrong)

    assert profile.schema == (("id", "BIGINT"), ("amount", "DOUBLE"), ("partition_date", "DATE"))
    assert "mean(amount)" not in profile.metrics


def test_without_key_and_metrics_only_footers_are_read(tmp_path: Path) -> None:
    path = staged(tmp_path, ROWS)
    size = path.stat().st_size
    footer = int.from_bytes(path.read_bytes()[-8:-4], "little") + 8
    path.write_bytes(b"PAR1" + b"\xff" * (size - footer - 4) + path.read_bytes()[-footer:])

    assert measured(asking(Metric("null_share", "rate")), path).metrics["null_share(rate)"] == 0.5
    with pytest.raises(duckdb.Error):
        measured(replace(NUMBERS, primary_key=("id",)), path)
