"""Expectations judged over Parquet files: counts, samples, errors, and what is left to Great Expectations."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from sluice.contract import Column, Contract
from sluice.datatypes import DataType, Date, Decimal, Integer, Json, ListOf, Struct, Text, Timestamp
from sluice.datatypes import Field as Member
from sluice.expectations.expectation import Expectation, Importance
from sluice.expectations.finding import Finding
from sluice.expectations.judging import judge_expectations, leaves_a_rest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sluice.expectations.results import Result, Results

COLUMNS: dict[str, DataType] = {
    "id": Integer(64),
    "status": Text(),
    "amount": Decimal(18, 2),
    "day": Date(),
    "at": Timestamp(),
    "payload": Json(),
    "tags": ListOf(Text()),
    "box": Struct((Member("x", Integer(64)),)),
}
RECORDS = """
SELECT i AS id,
    CASE WHEN i % 10 = 0 THEN NULL WHEN i % 10 = 1 THEN 'odd "one"' ELSE 'plain' END AS status,
    CAST(i / 100 AS DECIMAL(18,2)) AS amount,
    DATE '2026-11-01' + CAST(i % 3 AS INTEGER) AS day,
    TIMESTAMPTZ '2026-11-01 00:00:00+00' + to_hours(i) AS at,
    '{}' AS payload, ['a'] AS tags, {'x': i} AS box,
    DATE '2026-11-01' AS partition_date
FROM range(100) AS numbers(i)
"""
CONTRACT = Contract(
    dataset="things",
    version="1",
    columns=tuple(Column(name, kind) for name, kind in COLUMNS.items()),
    primary_key=("id",),
)
JUDGED_AT = datetime(2026, 11, 2, 3, tzinfo=UTC)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture
def files(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> list[str]:
    paths = [str(tmp_path / name) for name in ("part-0.parquet", "part-1.parquet")]
    connection.execute(f"COPY ({RECORDS} WHERE i < 50) TO '{paths[0]}' (FORMAT parquet)")
    connection.execute(f"COPY ({RECORDS} WHERE i >= 50) TO '{paths[1]}' (FORMAT parquet)")
    return paths


def expecting(kind: str, **kwargs: object) -> Expectation:
    return Expectation(kind, json.dumps(kwargs), kind)


def judged(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[str],
    *expectations: Expectation,
    contract: Contract = CONTRACT,
) -> Results:
    return judge_expectations(
        replace(contract, expectations=expectations),
        "2026-11-01",
        files,
        version="v1",
        judged_at=JUDGED_AT,
        connection=connection,
        rest=refuse,
    )


def refuse(_: duckdb.DuckDBPyConnection, expectations: Sequence[Expectation]) -> list[Finding]:
    raise AssertionError(expectations)


def result_of(connection: duckdb.DuckDBPyConnection, files: Sequence[str], kind: str, **kwargs: object) -> Result:
    return judged(connection, files, expecting(kind, **kwargs)).results[0]


@pytest.mark.parametrize(
    ("kind", "kwargs", "failing"),
    [
        ("expect_column_values_to_be_between", {"column": "day", "min_value": "2026-11-02"}, 34),
        ("expect_column_values_to_be_between", {"column": "day", "max_value": "2026-11-02", "strict_max": True}, 66),
        ("expect_column_values_to_be_between", {"column": "at", "max_value": "2026-11-01T09:00:00Z"}, 90),
        ("expect_column_values_to_be_between", {"column": "at", "max_value": "2026-11-01T10:00:00+01:00"}, 90),
        ("expect_column_values_to_be_in_set", {"column": "day", "value_set": ["2026-11-01", "2026-11-02"]}, 33),
        ("expect_column_values_to_be_in_set", {"column": "at", "value_set": ["2026-11-01T01:00:00+01:00"]}, 99),
        ("expect_column_values_to_be_in_set", {"column": "status", "value_set": ['odd "one"']}, 80),
        ("expect_column_values_to_match_like_pattern", {"column": "status", "like_pattern": "pl%"}, 10),
        ("expect_column_values_to_match_like_pattern", {"column": "status", "like_pattern": "pl!%", "escape": "!"}, 90),
        ("expect_column_values_to_not_match_like_pattern", {"column": "status", "like_pattern": "pl%"}, 80),
        (
            "expect_column_values_to_match_like_pattern_list",
            {"column": "status", "like_pattern_list": ["%o%", "%a%"], "match_on": "all"},
            90,
        ),
        (
            "expect_column_values_to_not_match_like_pattern_list",
            {"column": "status", "like_pattern_list": ["x", "%d%"]},
            10,
        ),
        ("expect_column_values_to_not_be_null", {"column": "box"}, 0),
        ("expect_column_values_to_be_null", {"column": "tags"}, 100),
    ],
)
def test_records_that_break_an_expectation_are_counted(
    connection: duckdb.DuckDBPyConnection, files: list[str], kind: str, kwargs: dict[str, Any], failing: int
) -> None:
    result = result_of(connection, files, kind, **kwargs)

    assert (result.failing, result.success, result.error) == (failing, failing == 0, None)


@pytest.mark.parametrize(
    ("kind", "kwargs", "success"),
    [
        ("expect_column_max_to_be_between", {"column": "day", "max_value": "2026-11-03"}, True),
        ("expect_column_max_to_be_between", {"column": "day", "max_value": "2026-11-03", "strict_max": True}, False),
        ("expect_column_min_to_be_between", {"column": "at", "min_value": "2026-11-01T00:00:00Z"}, True),
        (
            "expect_column_distinct_values_to_contain_set",
            {"column": "at", "value_set": ["2026-11-01T00:00:00Z", "2026-11-01T01:00:00+01:00"]},
            True,
        ),
        ("expect_column_sum_to_be_between", {"column": "amount", "min_value": 49.5, "max_value": 49.5}, True),
        ("expect_column_values_to_be_of_type", {"column": "amount", "type_": "decimal(18, 2)"}, True),
        ("expect_column_values_to_be_of_type", {"column": "at", "type_": "TIMESTAMP WITH TIME ZONE"}, True),
        ("expect_column_type_to_be", {"column": "id", "type_": "INTEGER"}, False),
        ("expect_column_values_to_be_in_type_list", {"column": "id", "type_list": ["INTEGER", "BIGINT"]}, True),
        ("expect_table_columns_to_match_ordered_list", {"column_list": list(COLUMNS)}, True),
    ],
)
def test_numbers_types_and_columns_are_judged(
    connection: duckdb.DuckDBPyConnection, files: list[str], kind: str, kwargs: dict[str, Any], *, success: bool
) -> None:
    assert result_of(connection, files, kind, **kwargs).success is success


def test_failing_records_are_shown_by_their_key(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    connection.execute("SET preserve_insertion_order = false")  # as the transform's connections have it

    result = result_of(connection, files, "expect_column_values_to_not_be_null", column="status")

    assert result.failing == 10
    assert result.sample == tuple({"id": number} for number in range(0, 100, 10))


def test_without_a_key_the_values_are_shown(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    results = judged(
        connection,
        files,
        expecting("expect_column_values_to_be_between", column="amount", min_value=0.02),
        contract=replace(CONTRACT, primary_key=()),
    )

    assert results.results[0].sample == ({"amount": "0.00"}, {"amount": "0.01"})


def test_offenders_are_shown_though_mostly_forgives_them(
    connection: duckdb.DuckDBPyConnection, files: list[str]
) -> None:
    result = result_of(connection, files, "expect_column_values_to_not_be_null", column="status", mostly=0.9)

    assert (result.success, result.failing, len(result.sample)) == (True, 10, 10)


def test_a_partition_without_files_has_no_records(connection: duckdb.DuckDBPyConnection) -> None:
    results = judged(
        connection,
        [],
        expecting("expect_table_row_count_to_equal", value=0),
        expecting("expect_column_values_to_be_unique", column="id"),
        expecting("expect_column_mean_to_be_between", column="amount", min_value=0),
        expecting("unexpected_rows_expectation", unexpected_rows_query="SELECT * FROM {batch}"),
    )

    assert [item.success for item in results.results] == [True, True, False, True]


def test_one_connection_judges_partitions_one_after_the_other(
    connection: duckdb.DuckDBPyConnection, files: list[str]
) -> None:
    count = expecting("expect_table_row_count_to_be_between", min_value=0)

    counts = [judged(connection, paths, count).results[0].observed for paths in ([], files, files[:1], [])]

    assert counts == [
        '{"observed_value": 0}',
        '{"observed_value": 100}',
        '{"observed_value": 50}',
        '{"observed_value": 0}',
    ]


def test_one_expectation_that_raises_leaves_the_others_judged(
    connection: duckdb.DuckDBPyConnection, files: list[str]
) -> None:
    results = judged(
        connection,
        files,
        expecting("expect_column_values_to_not_be_null", column="id"),
        expecting("expect_column_values_to_be_between", column="status", min_value=3),
        expecting("unexpected_rows_expectation", unexpected_rows_query="SELECT 1/0 FROM {batch} WHERE error('no')"),
    ).results

    assert [item.success for item in results] == [True, False, False]
    assert [item.error is None for item in results] == [True, False, False]
    assert "Cannot compare values of type VARCHAR" in (results[1].error or "")
    assert (results[2].error or "").endswith("no")


def test_files_that_cannot_be_read_are_results_with_an_error(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "other.parquet"
    connection.execute(f"COPY (SELECT 1 AS id) TO '{path}' (FORMAT parquet)")

    (result,) = judged(connection, [str(path)], expecting("expect_table_row_count_to_equal", value=1)).results

    assert not result.success
    assert "status" in (result.error or "")


def test_unexpected_rows_are_counted_and_shown(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    query = "SELECT id, amount FROM {batch} WHERE amount > 0.97 -- most"

    result = result_of(connection, files, "unexpected_rows_expectation", unexpected_rows_query=query)

    assert (result.success, result.failing) == (False, 2)
    assert result.sample == ({"id": 98, "amount": "0.98"}, {"id": 99, "amount": "0.99"})


def test_a_measured_number_is_shown_and_is_no_record(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    query = "SELECT measured FROM (SELECT count(*) AS measured FROM {batch}) WHERE measured > 7"

    result = result_of(connection, files, "unexpected_rows_expectation", unexpected_rows_query=query)

    assert (result.success, result.failing, result.sample) == (False, None, ({"measured": 100},))


def test_what_has_no_sql_is_given_to_the_rest_in_order(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    given: list[str] = []

    def rest(_: duckdb.DuckDBPyConnection, expectations: Sequence[Expectation]) -> list[Finding]:
        given.extend(item.name for item in expectations)
        return [Finding(success=False, result={"observed_value": item.name}) for item in expectations]

    left = expecting("expect_column_value_z_scores_to_be_less_than", column="id", threshold=3, double_sided=True)
    conditioned = expecting("expect_table_row_count_to_equal", value=1, row_condition="id < 1")
    asked = (
        replace(left, name="a"),
        expecting("expect_table_row_count_to_equal", value=100),
        replace(conditioned, name="b"),
    )
    results = judge_expectations(
        replace(CONTRACT, expectations=asked),
        "2026-11-01",
        files,
        version="v1",
        judged_at=JUDGED_AT,
        connection=connection,
        rest=rest,
    )

    assert given == ["a", "b"]
    assert [json.loads(item.observed)["observed_value"] for item in results.results] == ["a", 100, "b"]
    assert results.facts == {"engine": "Great Expectations 1.24.1 for 2 of 3, DuckDB for the others"}


def test_results_say_when_and_of_what_they_are(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    expectation = replace(
        expecting("expect_table_row_count_to_equal", value=1), importance=Importance.WARNING, description="Why."
    )

    results = judged(connection, files, expectation)

    validation, suite = json.loads(results.validation), json.loads(results.suite)
    assert (validation["success"], validation["meta"]["version"], validation["meta"]["partition"]) == (
        False,
        "v1",
        "2026-11-01",
    )
    assert validation["meta"]["validation_time"] == "2026-11-02T03:00:00+00:00"
    assert suite["expectations"][0]["severity"] == "warning"
    assert suite["expectations"][0]["description"] == "Why."
    assert results.facts == {"engine": "DuckDB"}


@pytest.mark.parametrize(
    ("asked", "leaves"),
    [
        ((), False),
        ((expecting("expect_table_row_count_to_equal", value=1),), False),
        ((expecting("unexpected_rows_expectation", unexpected_rows_query="SELECT 1 FROM {batch}"),), False),
        ((expecting("expect_table_row_count_to_equal", value=1, row_condition="id < 1"),), True),
        (
            (
                expecting("expect_table_row_count_to_equal", value=1),
                expecting("expect_column_value_z_scores_to_be_less_than", column="id", threshold=3, double_sided=True),
            ),
            True,
        ),
    ],
    ids=["nothing asked", "judged by SQL", "a query", "a condition", "one of two"],
)
def test_whether_the_library_is_needed_is_known_before(asked: tuple[Expectation, ...], leaves: bool) -> None:  # noqa: FBT001
    assert leaves_a_rest(replace(CONTRACT, expectations=asked)) is leaves
