"""SQL judges as Great Expectations does: the same expectation over the same records, by both."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from resources.great_expectations_engine import GreatExpectations, judge_with_great_expectations
from sluice.contract import Column, Contract
from sluice.datatypes import Boolean, DataType, Date, Decimal, Double, Integer, Text
from sluice.expectations.expectation import Expectation
from sluice.expectations.finding import Finding, plain
from sluice.expectations.judging import judge_batch
from sluice.expectations.questions import NATIVE_TYPES
from sluice.sql_types import duckdb_type

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS: dict[str, DataType] = {
    "id": Integer(64),
    "whole": Integer(32),
    "amount": Decimal(10, 2),
    "ratio": Double(),
    "word": Text(),
    "day": Date(),
    "flag": Boolean(),
    "other": Double(),
    "nothing": Text(),
    "void": Double(),
}

ROWS = """
(1, 5, 0.10, 0.5, 'a', DATE '2026-11-01', true, 0.5, NULL, NULL),
(2, 5, 0.20, 1.5, 'ab', DATE '2026-11-02', false, 1.0, NULL, NULL),
(3, 7, NULL, NULL, 'é€😀', DATE '2026-11-03', NULL, 2.0, NULL, NULL),
(4, 9, 99999999.99, 2.5, NULL, NULL, true, NULL, NULL, NULL),
(5, 9, -3.50, -1.0, '', DATE '2024-02-29', false, -1.0, NULL, NULL),
(6, 1, 0.10, NULL, 'a', DATE '2026-11-01', true, NULL, NULL, NULL),
(7, 2, 12.00, 1e10, 'A-1', DATE '1999-12-31', true, 3.0, NULL, NULL),
(8, 3, 12.00, 0.3, 'x y', DATE '2026-11-01', true, 0.3, NULL, NULL),
(9, 4, 7.25, 0.1, 'Ab', DATE '2026-11-30', false, 0.2, NULL, NULL),
(10, 5, 0.30, 8.0, 'zz', DATE '2026-11-05', true, 9.0, NULL, NULL)
"""
ALL = f"SELECT * FROM (VALUES {ROWS}) AS t({', '.join(COLUMNS)})"
TABLES = {
    "ten_records": ALL,
    "one_record": f"{ALL} WHERE id = 2",
    "two_records": f"{ALL} WHERE id IN (1, 2)",
    "missing_values": f"{ALL} WHERE id IN (3, 4)",
    "repeated_values": f"{ALL} WHERE id IN (1, 6)",
    "no_record": f"{ALL} WHERE false",
}
COLUMN_LIST = tuple(Column(name, kind) for name, kind in COLUMNS.items())

CASES: list[tuple[str, dict[str, Any]]] = [
    *[("expect_column_values_to_not_be_null", {"column": c}) for c in ("id", "word", "nothing", "void")],
    ("expect_column_values_to_not_be_null", {"column": "word", "mostly": 0.9}),
    ("expect_column_values_to_not_be_null", {"column": "word", "mostly": 0.91}),
    *[("expect_column_values_to_be_null", {"column": c}) for c in ("id", "word", "nothing", "void")],
    ("expect_column_values_to_be_null", {"column": "word", "mostly": 0.1}),
    ("expect_column_values_to_be_in_set", {"column": "word", "value_set": ["a", "ab", "é€😀"]}),
    ("expect_column_values_to_be_in_set", {"column": "word", "value_set": ["a", "ab"], "mostly": 0.3333}),
    ("expect_column_values_to_be_in_set", {"column": "word", "value_set": ["a", "ab"], "mostly": 0.3334}),
    ("expect_column_values_to_be_in_set", {"column": "whole", "value_set": [5, 7, 9]}),
    ("expect_column_values_to_be_in_set", {"column": "whole", "value_set": []}),
    ("expect_column_values_to_be_in_set", {"column": "ratio", "value_set": [0.1, 0.3, 0.5, 1.5, 2.5]}),
    ("expect_column_values_to_be_in_set", {"column": "amount", "value_set": [0.1, 0.2, 12, 7.25]}),
    ("expect_column_values_to_be_in_set", {"column": "nothing", "value_set": ["a"]}),
    ("expect_column_values_to_not_be_in_set", {"column": "word", "value_set": ["a", ""]}),
    ("expect_column_values_to_not_be_in_set", {"column": "word", "value_set": ["q"]}),
    ("expect_column_values_to_not_be_in_set", {"column": "amount", "value_set": [0.3]}),
    ("expect_column_values_to_not_be_in_set", {"column": "day", "value_set": ["2026-11-01"]}),
    *[
        ("expect_column_values_to_be_between", {"column": c, **limits})
        for c in ("id", "whole", "amount", "ratio", "void")
        for limits in (
            {"min_value": 0, "max_value": 9},
            {"min_value": 0.3},
            {"max_value": 5},
            {"max_value": 5, "strict_max": True},
            {"min_value": 0.1, "strict_min": True, "mostly": 0.7},
        )
    ],
    *[
        ("expect_column_values_to_be_unique", {"column": c})
        for c in ("id", "whole", "amount", "word", "day", "nothing")
    ],
    ("expect_column_values_to_be_unique", {"column": "whole", "mostly": 0.5}),
    *[
        ("expect_column_values_to_match_regex", {"column": "word", "regex": r})
        for r in ("a", "^a", "^a$", "€", "^$", "[A-Z]-?")
    ],
    ("expect_column_values_to_match_regex", {"column": "nothing", "regex": "a"}),
    ("expect_column_values_to_match_regex", {"column": "word", "regex": "^.{1,2}$", "mostly": 0.6}),
    ("expect_column_values_to_not_match_regex", {"column": "word", "regex": "^a"}),
    ("expect_column_values_to_not_match_regex", {"column": "word", "regex": "q"}),
    ("expect_column_values_to_match_regex_list", {"column": "word", "regex_list": ["^a", "b$"]}),
    ("expect_column_values_to_match_regex_list", {"column": "word", "regex_list": ["^a", "b$"], "match_on": "all"}),
    ("expect_column_values_to_not_match_regex_list", {"column": "word", "regex_list": ["^a", "z"]}),
    ("expect_column_value_lengths_to_be_between", {"column": "word", "min_value": 1, "max_value": 2}),
    ("expect_column_value_lengths_to_be_between", {"column": "word", "min_value": 1, "strict_min": True}),
    ("expect_column_value_lengths_to_be_between", {"column": "word", "max_value": 3}),
    ("expect_column_value_lengths_to_equal", {"column": "word", "value": 3}),
    ("expect_column_value_lengths_to_equal", {"column": "word", "value": 2, "mostly": 0.2}),
    *[
        ("expect_column_pair_values_to_be_equal", {"column_A": "ratio", "column_B": "other", "ignore_row_if": rule})
        for rule in ("both_values_are_missing", "either_value_is_missing", "neither")
    ],
    *[
        (
            "expect_column_pair_values_a_to_be_greater_than_b",
            {"column_A": "ratio", "column_B": "other", "ignore_row_if": rule, "or_equal": equal},
        )
        for rule in ("both_values_are_missing", "either_value_is_missing", "neither")
        for equal in (True, False)
    ],
    *[
        ("expect_compound_columns_to_be_unique", {"column_list": names, "ignore_row_if": rule})
        for rule in ("all_values_are_missing", "any_value_is_missing", "never")
        for names in (["word", "day"], ["id", "word"], ["whole", "nothing"], ["nothing", "void"])
    ],
    *[
        (f"expect_column_{name}_to_be_between", {"column": c, **limits})
        for name in ("min", "max", "mean", "median", "sum", "stdev")
        for c in ("id", "whole", "amount", "ratio", "void")
        for limits in ({"min_value": 1, "max_value": 9}, {"min_value": 0.5}, {"max_value": 5, "strict_max": True})
    ],
    *[
        (f"expect_column_{name}_to_be_between", {"column": c, **limits})
        for name in ("unique_value_count", "proportion_of_unique_values", "proportion_of_non_null_values")
        for c in ("id", "whole", "word", "day", "nothing")
        for limits in ({"min_value": 1, "max_value": 8}, {"max_value": 1}, {"min_value": 0, "strict_min": True})
    ],
    *[
        (f"expect_column_distinct_values_to_{name}_set", {"column": c, "value_set": values})
        for name in ("be_in", "contain", "equal")
        for c, values in (
            ("whole", [1, 2, 3, 4, 5, 7, 9]),
            ("whole", [5, 6]),
            ("word", ["a", "ab", "é€😀", "", "A-1", "x y", "Ab", "zz"]),
            ("word", ["a", "q"]),
            ("nothing", ["a"]),
            ("day", ["2026-11-01", "2026-11-02"]),
        )
    ],
    *[
        (
            "expect_column_quantile_values_to_be_between",
            {"column": c, "quantile_ranges": {"quantiles": [0, 0.05, 0.25, 0.5, 0.9, 1], "value_ranges": ranges}},
        )
        for c in ("id", "whole", "amount", "ratio", "void")
        for ranges in ([[None, None]] * 6, [[1, 9]] * 6, [[None, 5]] * 6, [[0.5, None]] * 6)
    ],
    ("expect_column_to_exist", {"column": "word"}),
    ("expect_column_to_exist", {"column": "word", "column_index": 4}),
    ("expect_column_to_exist", {"column": "word", "column_index": 40}),
    ("expect_table_column_count_to_equal", {"value": 10}),
    ("expect_table_column_count_to_equal", {"value": 9}),
    ("expect_table_column_count_to_be_between", {"min_value": 10}),
    ("expect_table_column_count_to_be_between", {"min_value": 1, "max_value": 9}),
    ("expect_table_columns_to_match_set", {"column_set": list(COLUMNS)}),
    ("expect_table_columns_to_match_set", {"column_set": ["id", "q"]}),
    ("expect_table_columns_to_match_set", {"column_set": ["id", "word"], "exact_match": False}),
    ("expect_table_columns_to_match_ordered_list", {"column_list": list(COLUMNS)}),
    ("expect_table_columns_to_match_ordered_list", {"column_list": ["word", "id"]}),
    ("expect_table_row_count_to_equal", {"value": 10}),
    ("expect_table_row_count_to_equal", {"value": 2}),
    ("expect_table_row_count_to_be_between", {"min_value": 2, "max_value": 10}),
    ("expect_table_row_count_to_be_between", {"min_value": 2, "strict_min": True}),
    ("expect_table_row_count_to_be_between", {"max_value": 2, "strict_max": True}),
]
NOT_COMPARED = {
    # pandas knows no LIKE, and its types are not those of a table.
    "expect_column_type_to_be",
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_match_like_pattern",
    "expect_column_values_to_match_like_pattern_list",
    "expect_column_values_to_not_match_like_pattern",
    "expect_column_values_to_not_match_like_pattern_list",
}


TYPES = sorted({kind for kind, _ in CASES})
EXPECTATIONS = tuple(Expectation(kind, json.dumps(kwargs), kind) for kind, kwargs in CASES)


@cache
def findings(table: str) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Ours and theirs of every case; Great Expectations is started once for a table."""
    contract = Contract("things", "1", COLUMN_LIST, expectations=EXPECTATIONS)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE kept AS {typed(TABLES[table])}")
        connection.execute("CREATE VIEW batch AS FROM kept")
        ours = judge_batch(connection, contract, refuse_the_rest)
        theirs = judge_with_great_expectations(connection, EXPECTATIONS)
    return ours, tuple(theirs)


def refuse_the_rest(_: duckdb.DuckDBPyConnection, expectations: Sequence[Expectation]) -> list[Finding]:
    raise AssertionError(expectations)


def of_type(kind: str, found: Sequence[Finding]) -> list[Any]:
    """What must be equal; dates are instants and sets have no order in pandas, and floats are sums in another order."""
    return [
        (json.dumps(kwargs), finding.success, finding.error, comparable(finding.result))
        for (name, kwargs), finding in zip(CASES, found, strict=True)
        if name == kind
    ]


def comparable(value: object) -> object:
    match plain(value):
        case float() as number:
            return float(f"{number:.9g}")
        case dict() as members:
            return {name: comparable(item) for name, item in members.items() if name not in _UNORDERED} | {
                name: sorted(map(str, map(comparable, items))) for name, items in members.items() if name in _UNORDERED
            }
        case list() as items:
            return [comparable(item) for item in items]
        case str() as text:
            return text.removesuffix("T00:00:00")
        case other:
            return other


_UNORDERED = {"partial_missing_list"}


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", TYPES)
def test_sql_says_what_great_expectations_says(kind: str, table: str) -> None:
    ours, theirs = findings(table)

    assert of_type(kind, ours) == of_type(kind, theirs)


def test_every_expectation_judged_by_sql_is_compared_or_cannot_be() -> None:
    assert set(TYPES) | NOT_COMPARED == NATIVE_TYPES


@pytest.mark.slow
def test_an_expectation_without_sql_is_judged_by_great_expectations() -> None:
    finding = theirs_of("expect_column_value_z_scores_to_be_less_than", column="id", threshold=1, double_sided=True)

    assert (finding.success, finding.failing, finding.error) == (False, 4, None)
    assert finding.sample == ({"id": 1}, {"id": 2}, {"id": 9}, {"id": 10})


@pytest.mark.slow
def test_a_condition_on_rows_is_left_to_great_expectations() -> None:
    finding = theirs_of(
        "expect_column_values_to_be_between",
        column="amount",
        min_value=0,
        row_condition="whole < 9",
        condition_parser="pandas",
    )

    assert (finding.success, finding.result["element_count"]) == (True, 8)


@pytest.mark.slow
def test_an_expectation_that_raises_is_a_finding_with_its_error() -> None:
    finding = theirs_of("expect_column_values_to_be_between", column="word", min_value=1)

    assert not finding.success
    assert finding.error == "Column values, min_value, and max_value must either be None or of the same type."


@pytest.mark.slow
def test_one_that_great_expectations_refuses_leaves_the_others_judged() -> None:
    expectations = [
        Expectation("expect_table_row_count_to_equal", '{"value": 10}', "a"),
        Expectation("expect_table_row_count_to_equal", '{"valeu": 10}', "b"),
        Expectation("expect_table_row_count_to_equal", '{"value": 10}', "the same again"),
    ]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE batch AS {typed(TABLES['ten_records'])}")
        found = judge_with_great_expectations(connection, expectations)

    assert [item.success for item in found] == [True, False, True]
    assert "ValidationError" in (found[1].error or "")


@pytest.mark.slow
def test_columns_that_are_not_there_are_findings_with_an_error() -> None:
    with duckdb.connect() as connection:
        (found,) = judge_with_great_expectations(
            connection, [Expectation("expect_column_to_exist", '{"column": "id"}', "a")]
        )

    assert not found.success
    assert "batch" in (found.error or "")


def theirs_of(kind: str, **kwargs: object) -> Finding:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE kept AS {typed(TABLES['ten_records'])}")
        connection.execute("CREATE VIEW batch AS FROM kept")
        contract = Contract("things", "1", COLUMN_LIST, expectations=(Expectation(kind, json.dumps(kwargs), kind),))
        return GreatExpectations().judge(connection, contract.expectations)[0]


def typed(query: str) -> str:
    cast = ", ".join(f"CAST({name} AS {duckdb_type(kind)}) AS {name}" for name, kind in COLUMNS.items())
    return f"SELECT {cast} FROM ({query})"
