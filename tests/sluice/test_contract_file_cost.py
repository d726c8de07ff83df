"""What `cost` says, and what is refused at its line (marked `# <-`)."""

from __future__ import annotations

import pytest

from sluice.contract_file import read_contract
from sluice.cost.rules import CostRules, Engine, Limit, ReferenceQuery
from sluice.errors import ContractInvalid, ContractProblems

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
servers:
  - {type: local, path: "orders/{date}/*", format: jsonl}
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer}
      - {name: amount, logicalType: number}
customProperties:
  - property: sluice
    value:
      cost:
"""
SUM = "sql: \"SELECT sum(amount) FROM orders WHERE partition_date = DATE '{date}'\""


def with_cost(*lines: str) -> str:
    return CONTRACT + "".join(f"        {line}\n" for line in lines)


def rules_of(*lines: str) -> CostRules:
    return read_contract(with_cost(*lines), path="contract.yaml").cost


def problem_of(text: str) -> ContractInvalid:
    with pytest.raises(ContractProblems) as refused:
        read_contract(text, path="contract.yaml")
    (problem,) = refused.value.problems
    return problem


def marked_line(text: str) -> int:
    return text[: text.index("# <-")].count("\n") + 1


def test_a_contract_without_cost_has_no_limits() -> None:
    text = CONTRACT.removesuffix("      cost:\n").replace("    value:", "    value: {unknown_fields: reject}")

    assert read_contract(text, path="contract.yaml").cost == CostRules()


def test_an_empty_cost_has_no_limits() -> None:
    assert rules_of() == CostRules()


def test_everything_can_be_said() -> None:
    assert rules_of(
        "engine: glue",
        "region: eu-central-1",
        "monthly_usd: 25",
        "healing_monthly_usd: {quantile: 0.95, factor: 1.5, minimum_history: 2}",
        "runtime_seconds: 0.5",
        "queries:",
        f"  - {{name: revenue of a day, {SUM}, max_usd: 0.001}}",
        f"  - {{name: again, {SUM}, max_bytes: 2 MB}}",
        "files: {min_bytes: 1 MiB, max_bytes: 2000000}",
    ) == CostRules(
        engine=Engine.GLUE,
        region="eu-central-1",
        monthly_usd=Limit(fixed=25.0),
        healing_monthly_usd=Limit(quantile=0.95, factor=1.5, minimum_history=2),
        runtime_seconds=Limit(fixed=0.5),
        queries=(
            ReferenceQuery(
                "revenue of a day",
                "SELECT sum(amount) FROM orders WHERE partition_date = DATE '{date}'",
                max_usd=0.001,
            ),
            ReferenceQuery(
                "again", "SELECT sum(amount) FROM orders WHERE partition_date = DATE '{date}'", max_bytes=2_000_000
            ),
        ),
        min_file_bytes=1_048_576,
        max_file_bytes=2_000_000,
    )


def test_a_learned_limit_has_defaults() -> None:
    assert rules_of("runtime_seconds: {}").runtime_seconds == Limit()


@pytest.mark.parametrize(
    ("size", "found"),
    [("16 MB", 16_000_000), ("1.5kB", 1_500), ("2 GiB", 2_147_483_648), ("1 TB", 10**12), ("70000", 70_000)],
)
def test_sizes_have_units(size: str, found: int) -> None:
    assert rules_of(f"files: {{min_bytes: 1, max_bytes: {size}}}").max_file_bytes == found


@pytest.mark.parametrize(
    ("lines", "problem", "cure"),
    [
        pytest.param(["engine: fargat  # <-"], "no engine", 'Did you mean "fargate"?', id="engine"),
        pytest.param(["region: 7  # <-"], "must be text", "eu-central-1", id="region"),
        pytest.param(["monthly_us: 7  # <-"], "not a field", 'Did you mean "monthly_usd"?', id="unknown field"),
        pytest.param(["monthly_usd: 0  # <-"], "is 0.", "above 0", id="zero"),
        pytest.param(["monthly_usd: -3  # <-"], "is -3.", "above 0", id="negative"),
        pytest.param(['monthly_usd: "25"  # <-'], "no number", "above 0", id="text"),
        pytest.param(["monthly_usd: true  # <-"], "no number", "above 0", id="boolean"),
        pytest.param(["monthly_usd: {quantil: 1}  # <-"], "not a field", 'Did you mean "quantile"?', id="limit field"),
        pytest.param(["monthly_usd: {quantile: 1.5}  # <-"], "is 1.5", "up to 1", id="quantile"),
        pytest.param(["monthly_usd: {quantile: 0}  # <-"], "is 0", "above 0", id="quantile of nothing"),
        pytest.param(["monthly_usd: {factor: 0}  # <-"], "is 0", "above 0", id="factor"),
        pytest.param(["monthly_usd: {minimum_history: 0}  # <-"], "is 0", "at least 1", id="no history"),
        pytest.param(["monthly_usd: {minimum_history: 2.5}  # <-"], "is 2.5", "whole number", id="half a month"),
        pytest.param(
            ["monthly_usd: 5", "healing_monthly_usd: 6  # <-"], "more than monthly_usd", "at most 5", id="healing"
        ),
        pytest.param(["queries: all  # <-"], "must be a list", "line of its own", id="no list"),
        pytest.param(["queries:", "  - all  # <-"], "must hold fields", "max_usd", id="no query"),
        pytest.param(["queries:", f"  - {{name: a, {SUM}}}  # <-"], "has no limit", "max_usd", id="no limit"),
        pytest.param(["queries:", f"  - {{name: a, {SUM}, max_usd: 0}}  # <-"], "is 0", "above 0", id="free"),
        pytest.param(
            ["queries:", f"  - {{name: a, {SUM}, max_bytes: -1}}  # <-"], "no number of bytes", "16 MB", id="-1"
        ),
        pytest.param(["queries:", f"  - {{{SUM}, max_usd: 1}}  # <-"], "is missing", "Write text", id="no name"),
        pytest.param(["queries:", "  - {name: a, max_usd: 1}  # <-"], "is missing", "Write text", id="no sql"),
        pytest.param(
            ["queries:", f"  - {{name: a, {SUM}, max_eur: 1, max_usd: 1}}  # <-"],
            "not a field",
            "max_usd",
            id="max_eur",
        ),
        pytest.param(
            ["queries:", "  - {name: a, sql: SELECT amonut FROM orders, max_usd: 1}  # <-"],
            "amonut",
            'Did you mean "amount"?',
            id="unknown column",
        ),
        pytest.param(
            ["queries:", "  - {name: a, sql: SELECT * FROM sales, max_usd: 1}  # <-"],
            "reads sales, not only orders",
            "own table",
            id="other table",
        ),
        pytest.param(
            ["queries:", "  - {name: a, sql: SELECT FROM, max_usd: 1}  # <-"],
            "cannot be parsed",
            "Correct",
            id="no SQL",
        ),
        pytest.param(
            ["queries:", "  - {name: a, sql: SELECT 1 FROM orders WHERE partition_date = 'x', max_usd: 1}  # <-"],
            "cannot be run",
            "DuckDB",
            id="no date",
        ),
        pytest.param(
            ["queries:", f"  - {{name: a, {SUM}, max_usd: 1}}", f"  - {{name: A, {SUM}, max_usd: 1}}  # <-"],
            "is taken",
            "another name",
            id="name twice",
        ),
        pytest.param(["files: {min_bytes: 2 MB, max_bytes: 1 MB}  # <-"], "above max_bytes", "Swap", id="files"),
        pytest.param(["files: {min_bytes: 2 MBit}  # <-"], "no number of bytes", "512 KiB", id="unit"),
        pytest.param(["files: {max_byte: 2 MB}  # <-"], "not a field", 'Did you mean "max_bytes"?', id="files field"),
        pytest.param(["files: big  # <-"], "must hold fields", "min_bytes", id="no files"),
    ],
)
def test_what_is_wrong_is_refused_at_its_line(lines: list[str], problem: str, cure: str) -> None:
    text = with_cost(*lines)

    found = problem_of(text)

    assert found.line == marked_line(text)
    assert problem in found.problem
    assert cure in found.cure


def test_a_cost_that_is_no_mapping_is_refused() -> None:
    assert "must hold fields" in problem_of(CONTRACT.replace("cost:\n", "cost: 25\n")).problem
