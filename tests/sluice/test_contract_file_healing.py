"""What `healing` says, and what is refused at its line (marked `# <-`)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.contract import fingerprint_of, rules_fingerprint_of
from sluice.contract_file import read_contract
from sluice.errors import ContractInvalid, ContractProblems
from sluice.healing.failure import FailureClass
from sluice.healing.policy import HealingPolicy

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
customProperties:
  - property: sluice
    value:
"""


def with_healing(*lines: str) -> str:
    return CONTRACT + "".join(f"      {line}\n" for line in lines)


def policy_of(*lines: str) -> HealingPolicy:
    return read_contract(with_healing(*lines), path="contract.yaml").healing


def problem_of(text: str) -> ContractInvalid:
    with pytest.raises(ContractProblems) as refused:
        read_contract(text, path="contract.yaml")
    (problem,) = refused.value.problems
    return problem


@pytest.mark.parametrize(
    "line", ["start: 2026-11-01", "healing:", "healing: {}", "healing: {retries: {}}", "healing: {retries: }"]
)
def test_who_says_nothing_gets_the_usual(line: str) -> None:
    assert policy_of(line) == HealingPolicy()


def test_retries_are_said_by_class() -> None:
    policy = policy_of("healing: {retries: {transient: 3, resource: 0}}")

    assert policy == HealingPolicy(most=((FailureClass.RESOURCE, 0), (FailureClass.TRANSIENT, 3)))


@pytest.mark.parametrize(
    ("lines", "field", "said"),
    [
        pytest.param(["healing: 3  # <-"], "healing", "must hold fields", id="no fields"),
        pytest.param(["healing: {retry: 3}  # <-"], "healing.retry", 'Did you mean "retries"?', id="field"),
        pytest.param(["healing:", "  retries: 3  # <-"], "healing.retries", "must hold fields", id="one number"),
        pytest.param(
            ["healing:", "  retries:", "    transiet: 3  # <-"],
            "healing.retries.transiet",
            'Did you mean "transient"?',
            id="class",
        ),
        pytest.param(
            ["healing:", "  retries:", "    quality: 3  # <-"],
            "healing.retries.quality",
            "never retried",
            id="a class that no retry heals",
        ),
        pytest.param(
            ["healing:", "  retries:", "    transient: 3", "    resource: -1  # <-"],
            "healing.retries.resource",
            'is "-1"',
            id="negative",
        ),
        pytest.param(
            ["healing:", "  retries:", "    transient: 21  # <-"], "healing.retries.transient", "0 to 20", id="many"
        ),
        pytest.param(
            ["healing:", "  retries:", "    transient: true  # <-"], "healing.retries.transient", "0 to 20", id="true"
        ),
        pytest.param(
            ["healing:", "  retries:", "    transient: 1.5  # <-"], "healing.retries.transient", "0 to 20", id="part"
        ),
        pytest.param(
            ["healing:", "  retries:", "    transient:  # <-"], "healing.retries.transient", "is empty", id="empty"
        ),
    ],
)
def test_what_is_wrong_is_refused_at_its_line(lines: list[str], field: str, said: str) -> None:
    text = with_healing(*lines)

    problem = problem_of(text)

    assert problem.line == text[: text.index("# <-")].count("\n") + 1
    assert problem.field.endswith(field)
    assert said in str(problem)


def test_healing_decides_neither_rows_nor_verdicts() -> None:
    contract = read_contract(CONTRACT + "      start: 2026-11-01\n", path="contract.yaml")
    healed = replace(contract, healing=HealingPolicy(most=((FailureClass.TRANSIENT, 0),)))

    assert (fingerprint_of(healed), rules_fingerprint_of(healed)) == (
        fingerprint_of(contract),
        rules_fingerprint_of(contract),
    )
