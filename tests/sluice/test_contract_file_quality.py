"""The `quality` of a contract file: what it becomes, and what is refused at its line (marked `# <-`) with a cure."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

import duckdb
import pytest

from sluice.contract_file import read_contract
from sluice.errors import ContractInvalid, ContractProblems
from sluice.expectations.expectation import Expectation, Importance
from sluice.expectations.judging import judge_batch

if TYPE_CHECKING:
    from sluice.contract import Contract

HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: events
version: 1.0.0
servers:
  - {server: landing, type: local, path: "events/{date}/*", format: jsonl}
schema:
  - name: events
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true}
      - {name: amount, logicalType: number, physicalType: "decimal(10,2)"}
      - {name: day, logicalType: date}
      - {name: flag, logicalType: boolean}
      - name: status
        logicalType: string
        quality:
"""
TABLE = """\
    quality:
"""
TEXT = "      - {type: text, description: Told in words.}\n"


def with_rules(*, table: str = TEXT, column: str = TEXT) -> str:
    return HEAD + indent(column, "    ") + TABLE + table


def for_table(rule: str) -> str:
    return with_rules(table=f"      - {rule}\n")


def for_column(rule: str) -> str:
    return with_rules(column=f"      - {rule}\n")


def contract_of(text: str) -> Contract:
    return read_contract(text, path="contract.yaml")


def expectation_of(text: str) -> Expectation:
    (expectation,) = contract_of(text).expectations
    return expectation


def problems_of(text: str) -> tuple[ContractInvalid, ...]:
    with pytest.raises(ContractProblems) as refused:
        contract_of(text)
    return refused.value.problems


def success_over(text: str, rows: str) -> bool:
    """Judge the one rule over records (id, status)."""
    contract = contract_of(text)
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE VIEW batch AS SELECT id, 0::DECIMAL(10,2) AS amount, NULL::DATE AS day, true AS flag,"
            f" status::VARCHAR AS status FROM (VALUES {rows}) AS given(id, status)"
        )
        (finding,) = judge_batch(connection, contract, lambda _, __: [])
    assert finding.error is None
    return finding.success


def test_table_rules_come_before_those_of_columns_and_words_are_left_out() -> None:
    text = with_rules(
        table=TEXT + "      - {metric: rowCount, mustBe: 5}\n",
        column="      - {metric: nullValues, mustBe: 0}\n" + TEXT,
    )

    assert [item.name for item in contract_of(text).expectations] == [
        "rowCount must be 5",
        "status: nullValues must be 0",
    ]


@pytest.mark.parametrize(
    ("rule", "kind", "kwargs"),
    [
        ("mustBe: 5", "expect_table_row_count_to_equal", {"value": 5}),
        ("mustBeGreaterThan: 5", "expect_table_row_count_to_be_between", {"min_value": 5, "strict_min": True}),
        ("mustBeGreaterOrEqualTo: 5", "expect_table_row_count_to_be_between", {"min_value": 5}),
        ("mustBeLessThan: 5", "expect_table_row_count_to_be_between", {"max_value": 5, "strict_max": True}),
        ("mustBeLessOrEqualTo: 5", "expect_table_row_count_to_be_between", {"max_value": 5}),
        ("mustBeBetween: [1, 5]", "expect_table_row_count_to_be_between", {"min_value": 1, "max_value": 5}),
    ],
)
def test_row_counts_become_expectations(rule: str, kind: str, kwargs: dict[str, object]) -> None:
    expectation = expectation_of(for_table(f"{{metric: rowCount, {rule}}}"))

    assert (expectation.type, json.loads(expectation.kwargs)) == (kind, kwargs)


@pytest.mark.parametrize(
    ("rule", "kind", "kwargs"),
    [
        ("metric: nullValues, mustBe: 0", "not_be_null", {}),
        ("rule: nullValues, mustBe: 0", "not_be_null", {}),
        ("type: library, metric: nullValues, mustBeLessThan: 1", "not_be_null", {}),
        ("metric: nullValues, mustBeLessOrEqualTo: 5, unit: percent", "not_be_null", {"mostly": 0.95}),
        ("metric: nullValues, mustBeLessOrEqualTo: 0.1, unit: percent", "not_be_null", {"mostly": 0.999}),
        (
            'metric: missingValues, arguments: {missingValues: ["", x]}, mustBe: 0',
            "not_be_in_set",
            {"value_set": ["", "x"]},
        ),
        ("metric: invalidValues, arguments: {validValues: [a, b]}, mustBe: 0", "be_in_set", {"value_set": ["a", "b"]}),
        ("metric: invalidValues, arguments: {pattern: ^a}, mustBe: 0", "match_regex", {"regex": "^a"}),
        ("metric: duplicateValues, mustBe: 0", "be_unique", {}),
    ],
)
def test_metrics_of_a_column_become_expectations(rule: str, kind: str, kwargs: dict[str, object]) -> None:
    expectation = expectation_of(for_column(f"{{{rule}}}"))

    assert expectation.type == f"expect_column_values_to_{kind}"
    assert json.loads(expectation.kwargs) == {"column": "status", **kwargs}


@pytest.mark.parametrize(
    ("limit", "met", "broken"),
    [
        ("mustBe: 2", 2, 3),
        ("mustNotBe: 2", 3, 2),
        ("mustBeGreaterThan: 2", 3, 2),
        ("mustBeGreaterOrEqualTo: 2", 2, 1),
        ("mustBeLessThan: 2", 1, 2),
        ("mustBeLessOrEqualTo: 2", 2, 3),
        ("mustBeBetween: [2, 3]", 3, 4),
        ("mustNotBeBetween: [2, 3]", 4, 2),
    ],
)
def test_operators_limit_a_count(limit: str, met: int, broken: int) -> None:
    text = for_column(f"{{metric: nullValues, {limit}}}")

    assert success_over(text, ", ".join(["(1, NULL)"] * met + ["(1, 'a')"]))
    assert not success_over(text, ", ".join(["(1, NULL)"] * broken + ["(1, 'a')"]))


@pytest.mark.parametrize(
    ("rule", "met", "broken"),
    [
        (
            "metric: nullValues, mustBeLessThan: 50, unit: percent",
            "(1, NULL), (2, 'a'), (3, 'a')",
            "(1, NULL), (2, 'a')",
        ),
        (
            "metric: missingValues, arguments: {missingValues: [null, N/A]}, mustBe: 0",
            "(1, 'a')",
            "(1, 'a'), (2, NULL)",
        ),
        ("metric: missingValues, arguments: {missingValues: [null]}, mustBe: 0", "(1, 'N/A')", "(1, NULL)"),
        (
            "metric: missingValues, arguments: {missingValues: [N/A]}, mustBeLessThan: 2",
            "(1, 'N/A')",
            "(1, 'N/A'), (2, 'N/A')",
        ),
        (
            "metric: invalidValues, arguments: {validValues: [a]}, mustBeLessThan: 2",
            "(1, 'b'), (2, NULL)",
            "(1, 'b'), (2, 'c')",
        ),
        ('metric: invalidValues, arguments: {pattern: "^[0-9]{3}$"}, mustBe: 1', "(1, '12'), (2, '123')", "(1, '123')"),
        ("metric: duplicateValues, mustBeLessOrEqualTo: 1", "(1, 'a'), (2, 'a')", "(1, 'a'), (2, 'a'), (3, 'a')"),
        ("type: sql, query: 'SELECT count(*) FROM {table}', mustBe: 1", "(1, 'a')", "(1, 'a'), (2, 'a')"),
        (
            "type: sql, query: 'SELECT CASE WHEN max({property}) = ''a'' THEN 1 END FROM ${object}', mustBe: 1",
            "(1, 'a')",
            "(1, 'b')",
        ),
        (
            "type: sql, query: 'SELECT sum(id) FROM {table} WHERE ${column} > ''a'' -- no;', mustBe: 2",
            "(2, 'b')",
            "(2, 'a')",
        ),
    ],
)
def test_what_no_expectation_says_exactly_is_measured(rule: str, met: str, broken: str) -> None:
    text = for_column(f"{{{rule}}}")

    assert (success_over(text, met), success_over(text, broken)) == (True, False)


def test_less_than_one_percent_is_not_none() -> None:
    text = for_column("{metric: nullValues, mustBeLessThan: 1, unit: percent}")

    assert success_over(text, ", ".join(["(1, NULL)"] + ["(1, 'a')"] * 200))
    assert not success_over(text, ", ".join(["(1, NULL)"] + ["(1, 'a')"] * 99))


def test_duplicates_of_several_columns_are_counted_together() -> None:
    rule = "{metric: duplicateValues, arguments: {properties: [id, status]}, %s}"

    assert expectation_of(for_table(rule % "mustBe: 0")).type == "expect_compound_columns_to_be_unique"
    assert success_over(for_table(rule % "mustBeLessThan: 2"), "(1, 'a'), (1, 'a'), (1, 'b')")
    assert not success_over(for_table(rule % "mustBeLessThan: 2"), "(1, 'a'), (1, 'a'), (1, 'a')")


def test_an_expectation_of_a_property_is_about_its_column() -> None:
    rule = "{type: custom, engine: greatExpectations, implementation: {type: expect_column_values_to_be_unique}}"

    assert json.loads(expectation_of(for_column(rule)).kwargs) == {"column": "status"}


def test_an_expectation_may_be_written_as_yaml_text() -> None:
    text = with_rules(
        table="""\
      - type: custom
        engine: great-expectations
        implementation: |
          expectation_type: expect_column_max_to_be_between
          kwargs: {column: amount, max_value: 10.5}
"""
    )

    expectation = expectation_of(text)

    assert (expectation.type, expectation.kwargs) == (
        "expect_column_max_to_be_between",
        '{"column": "amount", "max_value": 10.5}',
    )


@pytest.mark.parametrize(
    ("severity", "importance"),
    [
        ("", Importance.CRITICAL),
        (", severity: critical", Importance.CRITICAL),
        (", severity: error", Importance.CRITICAL),
        (", severity: High", Importance.CRITICAL),
        (", severity: warning", Importance.WARNING),
        (", severity: warn", Importance.WARNING),
        (", severity: medium", Importance.WARNING),
        (", severity: low", Importance.WARNING),
        (", severity: info", Importance.INFO),
    ],
)
def test_severity_is_read_in_the_words_people_use(severity: str, importance: Importance) -> None:
    assert expectation_of(for_table(f"{{metric: rowCount, mustBe: 1{severity}}}")).importance is importance


def test_name_and_description_are_kept() -> None:
    expectation = expectation_of(for_table("{metric: rowCount, mustBe: 1, name: One record, description: Always.}"))

    assert (expectation.name, expectation.description) == ("One record", "Always.")


def gx(implementation: str) -> str:
    return f"{{type: custom, engine: greatExpectations, implementation: {{{implementation}}}}}"


@pytest.mark.parametrize(
    ("rule", "field", "problem", "cure"),
    [
        ("{metric: rowCnt, mustBe: 1}", ".metric", '"rowCnt" is not a metric', 'mean "rowCount"'),
        ("{rule: rowCnt, mustBe: 1}", ".rule", '"rowCnt" is not a metric', 'mean "rowCount"'),
        ("{mustBe: 1}", "", "names no metric", "rowCount"),
        ("{metric: rowCount}", "", "has no operator", "mustBeLessThan"),
        ("{metric: rowCount, mustBe: 1, mustNotBe: 2}", "", "has 2 operators", "Write one of"),
        ("{metric: rowCount, mustBe: many}", ".mustBe", "must be a number", "mustBe: 0"),
        ("{metric: rowCount, mustBe: true}", ".mustBe", "must be a number", "mustBe: 0"),
        ("{metric: rowCount, mustBeBetween: [5, 1]}", ".mustBeBetween", "above its end", "Swap"),
        ("{metric: rowCount, mustBe: 1, unit: percents}", ".unit", '"percents"', "rows, percent"),
        ("{metric: rowCount, mustBe: 1, unit: percent}", ".unit", "not a share", "Leave it out"),
        ("{metric: rowCount, mustBe: 1, severity: fatal}", ".severity", '"fatal"', "critical"),
        ("{metric: nullValues, mustBe: 0}", ".metric", "one property", "Move it to a property"),
        ("{metric: duplicateValues, mustBe: 0}", "", "needs one argument of properties", "Add it"),
        (
            "{metric: duplicateValues, arguments: {properties: [id, statu]}, mustBe: 0}",
            ".arguments.properties",
            '"statu" is not a column',
            'mean "status"',
        ),
        ("{type: sequel, mustBe: 0}", ".type", '"sequel"', "sql"),
        ("{type: sql, mustBe: 0}", ".query", "is missing", "SELECT"),
        ("{type: sql, query: 'SELEC 1', mustBe: 0}", ".query", "not SQL", "one SELECT"),
        ("{type: sql, query: 'SELECT 1', mustBe: 0}", ".query", "does not read the table", "{table}"),
        ("{type: sql, query: 'SELECT 1 FROM {table}; SELECT 2', mustBe: 0}", ".query", "not one SELECT", "one SELECT"),
        ("{type: sql, query: 'DROP TABLE {table}', mustBe: 0}", ".query", "not one SELECT", "one SELECT"),
        ("{type: sql, query: 'SELECT 1 FROM {table}, secrets', mustBe: 0}", ".query", "reads secrets", "{table}"),
        (
            "{type: sql, query: \"SELECT 1 FROM {table}, read_text('/etc/passwd')\", mustBe: 0}",
            ".query",
            "reads",
            "{table}",
        ),
        ("{type: sql, query: \"SELECT 1 FROM {table}, '/etc/passwd'\", mustBe: 0}", ".query", "reads", "{table}"),
        ("{type: sql, query: 'SELECT sum(amout) FROM {table}', mustBe: 0}", ".query", "amout", "one SELECT"),
        ("{type: sql, query: 'SELECT 1, 2 FROM {table}', mustBe: 0}", ".query", "2 columns", "one SELECT"),
        ("{type: sql, query: 'SELECT max(status) FROM {table}', mustBe: 0}", ".query", "varchar", "one SELECT"),
        (
            "{type: sql, query: 'SELECT max({column}) FROM {table}', mustBe: 0}",
            ".query",
            "stands at the table",
            "property",
        ),
        ("{type: sql, query: 'SELECT 1 FROM {table}', unit: rows, mustBe: 0}", ".unit", "not read", "Leave it out"),
        ("{type: custom, engine: soda, implementation: x}", ".engine", '"soda"', "greatExpectations"),
        ("{type: custom, implementation: x}", ".engine", "is missing", "greatExpectations"),
        ("{type: custom, engine: greatExpectations}", ".implementation", "is missing", "kwargs"),
        ("{type: custom, engine: greatExpectations, implementation: '{a'}", ".implementation", "YAML", "kwargs"),
        (
            gx("type: expect_table_row_count_to_equal, kwargs: {value: 1}, kwarg: 1"),
            ".implementation.kwarg",
            "not a field",
            'mean "kwargs"',
        ),
        (gx("kwargs: {}"), ".implementation", "names no expectation", "type"),
        (
            gx("type: expect_column_values_to_be_uniqe"),
            ".implementation.type",
            "is not an expectation",
            'mean "expect_column_values_to_be_unique"',
        ),
        (gx("type: expect_table_row_count_to_equal, kwargs: [1]"), ".implementation.kwargs", "arguments", "kwargs"),
        (
            gx("type: expect_table_row_count_to_equal, kwargs: {valeu: 1, value: 1}"),
            ".implementation.kwargs.valeu",
            "is not an argument",
            'mean "value"',
        ),
        (gx("type: expect_column_values_to_be_unique"), ".implementation.kwargs", 'lacks "column"', "Add column"),
        (
            gx("type: expect_column_values_to_be_unique, kwargs: {column: statu}"),
            ".implementation.kwargs.column",
            '"statu" is not a column',
            'mean "status"',
        ),
        (
            gx("type: expect_column_values_to_be_unique, kwargs: {column: id, mostly: 95}"),
            ".implementation.kwargs.mostly",
            "is 95",
            "between 0 and 1",
        ),
        (
            gx("type: expect_column_values_to_be_between, kwargs: {column: id}"),
            ".implementation.kwargs",
            "neither min_value nor max_value",
            "Add",
        ),
        (
            gx("type: expect_column_values_to_be_between, kwargs: {column: day, min_value: 3}"),
            ".implementation.kwargs.min_value",
            "holds 3",
            "2026-11-01",
        ),
        (
            gx("type: expect_column_values_to_be_between, kwargs: {column: status, min_value: 3}"),
            ".implementation.kwargs.column",
            "neither numbers nor dates",
            "another",
        ),
        (
            gx("type: expect_column_values_to_be_in_set, kwargs: {column: flag, value_set: [yes]}"),
            ".implementation.kwargs.value_set",
            'holds "yes"',
            "true or false",
        ),
        (
            gx("type: expect_column_mean_to_be_between, kwargs: {column: day, min_value: 3}"),
            ".implementation.kwargs.column",
            "holds no numbers",
            "another",
        ),
        (
            gx('type: expect_column_values_to_match_regex, kwargs: {column: status, regex: "(?=a)"}'),
            ".implementation.kwargs.regex",
            "no regular expression",
            "RE2",
        ),
        (
            gx("type: expect_column_values_to_match_regex, kwargs: {column: id, regex: a}"),
            ".implementation.kwargs.column",
            "holds no text",
            "another",
        ),
        (
            gx("type: expect_compound_columns_to_be_unique, kwargs: {column_list: [id], ignore_row_if: always}"),
            ".implementation.kwargs.ignore_row_if",
            '"always"',
            "never",
        ),
        (
            gx("type: expect_column_quantile_values_to_be_between, kwargs: {column: id, quantile_ranges: {x: [1]}}"),
            ".implementation.kwargs.quantile_ranges",
            "a list or mapping",
            "value_ranges",
        ),
        (
            gx('type: unexpected_rows_expectation, kwargs: {unexpected_rows_query: "SELECT {x} FROM {batch}"}'),
            ".implementation.kwargs.unexpected_rows_query",
            "brace",
            "{batch}",
        ),
        (
            gx('type: unexpected_rows_expectation, kwargs: {unexpected_rows_query: "SELECT nothing FROM {batch}"}'),
            ".implementation.kwargs.unexpected_rows_query",
            "nothing",
            "{batch}",
        ),
    ],
)
def test_a_wrong_rule_of_the_table_is_refused(rule: str, field: str, problem: str, cure: str) -> None:
    text = for_table(f"{rule} # <-")

    (refused,) = problems_of(text)

    assert refused.field == f"schema[0].quality[0]{field}"
    assert refused.line == text[: text.index("# <-")].count("\n") + 1
    assert problem in refused.problem
    assert cure in refused.cure


@pytest.mark.parametrize(
    ("rule", "field", "problem"),
    [
        ("{metric: missingValues, mustBe: 0}", "", "needs one argument of missingValues"),
        ("{metric: missingValues, arguments: {missingValues: [1]}, mustBe: 0}", ".arguments.missingValues", "holds 1"),
        (
            "{metric: missingValues, arguments: {missingValues: [null, 1]}, mustBe: 0}",
            ".arguments.missingValues",
            "holds 1",
        ),
        (
            "{metric: missingValues, arguments: {missingValues: x}, mustBe: 3}",
            ".arguments.missingValues",
            "a list of values",
        ),
        (
            '{metric: invalidValues, arguments: {pattern: "("}, mustBe: 0}',
            ".arguments.pattern",
            "no regular expression",
        ),
        ("{metric: invalidValues, arguments: {pattern: a, validValues: [a]}, mustBe: 0}", "", "needs one argument"),
        ("{metric: rowCount, mustBe: 0}", ".metric", "about the table"),
        ("{metric: nullValues, mustBe: 0, arguments: {x: 1}}", ".arguments.x", "not an argument of nullValues"),
        (
            "{metric: duplicateValues, mustBe: 0, arguments: {properties: [id]}}",
            ".arguments.properties",
            "of the table",
        ),
    ],
)
def test_a_wrong_rule_of_a_column_is_refused(rule: str, field: str, problem: str) -> None:
    (refused,) = problems_of(for_column(rule))

    assert refused.field == f"schema[0].properties[4].quality[0]{field}"
    assert problem in refused.problem


def test_rules_inside_nested_values_are_refused() -> None:
    text = HEAD.replace(
        "      - name: status\n",
        "      - name: box\n        logicalType: object\n        properties:\n"
        "          - {name: x, logicalType: integer, quality: [{metric: nullValues}]}\n      - name: status\n",
    )

    (refused,) = problems_of(text + indent(TEXT, "    "))

    assert refused.field == "schema[0].properties[4].properties[0].quality"


def test_rules_about_a_refused_column_are_not_refused_on_top_of_that() -> None:
    text = for_column("{metric: nullValues, mustBe: 0}").replace("logicalType: string", "logicalType: text")

    assert [item.field for item in problems_of(text)] == ["schema[0].properties[4].logicalType"]


def test_the_example_in_the_docs_is_right() -> None:
    page = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yml\n(schema:\n  - name: clicks\n    quality:.*?)```", page, re.DOTALL)
    head = HEAD[: HEAD.index("schema:")].replace("id: events", "id: clicks")

    assert [item.name for item in contract_of(head + example).expectations] == [
        "rowCount must be greater than 1000",
        "duplicateValues must be at most 1 %",
        "Pages seen",
        "clicked_at: column max to be between",
        "page: nullValues must be at most 5 %",
        "page: invalidValues must be 0",
    ]


def test_great_expectations_is_not_imported_to_read_a_contract() -> None:
    before = "great_expectations" in sys.modules

    contract_of(for_table(gx("type: expect_table_row_count_to_equal, kwargs: {value: 1}")))

    assert ("great_expectations" in sys.modules) is before
