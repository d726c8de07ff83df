"""What `healing` says, and what is refused at its line (marked `# <-`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sluice.contract import fingerprint_of, rules_fingerprint_of
from sluice.contract_file import read_contract
from sluice.errors import ContractInvalid, ContractProblems
from sluice.healing.failure import FailureClass
from sluice.healing.policy import USUAL, Audit, BreakerPolicy, HealingPolicy, Retries, StandIn

SECOND = timedelta(seconds=1)

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
slaProperties: [{property: timeOfAvailability, value: "07:00"}]
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

    assert dict(policy.changed) == {
        FailureClass.RESOURCE: replace(USUAL[FailureClass.RESOURCE], most=0),
        FailureClass.TRANSIENT: replace(USUAL[FailureClass.TRANSIENT], most=3),
    }


@pytest.mark.parametrize(
    ("written", "waits"),
    [
        pytest.param("{most: 4, first: 1 s, cap: 5 s}", Retries(4, SECOND, 5 * SECOND), id="all"),
        pytest.param("{first: 500 ms}", Retries(8, SECOND / 2, timedelta(minutes=30)), id="first alone"),
        pytest.param("{first: 2 h}", Retries(8, timedelta(hours=2), timedelta(hours=2)), id="first above cap"),
        pytest.param("{cap: 5 s}", Retries(8, 5 * SECOND, 5 * SECOND), id="cap below the usual first"),
    ],
)
def test_waits_are_said_by_class(written: str, waits: Retries) -> None:
    policy = policy_of(f"healing: {{retries: {{sink_unavailable: {written}}}}}")

    assert policy.retries(FailureClass.SINK_UNAVAILABLE) == waits


def test_what_an_audit_does_is_said() -> None:
    assert policy_of("healing: {audit: rewind}").audit is Audit.REWIND


def test_the_bound_of_storms_is_said() -> None:
    assert policy_of("healing: {retry_runs: 40}").runs_per_dataset == 40


def test_the_breaker_is_said() -> None:
    policy = policy_of("healing: {breaker: {failures: 3, first: 10 s, cap: 2 min}}")

    assert policy.breaker == BreakerPolicy(3, 10 * SECOND, timedelta(minutes=2))


@pytest.mark.parametrize(
    ("written", "stand_in"),
    [
        pytest.param("previous_partition", StandIn(), id="previous partition"),
        pytest.param('{path: "backup/{date}/*"}', StandIn("backup/{date}/*"), id="other files"),
    ],
)
def test_what_stands_in_is_said(written: str, stand_in: StandIn) -> None:
    assert policy_of(f"healing: {{stand_in: {written}}}").stand_in == stand_in


@pytest.mark.parametrize(
    ("lines", "field", "said"),
    [
        pytest.param(["healing: 3  # <-"], "healing", "must hold fields", id="no fields"),
        pytest.param(["healing: {retrys: 3}  # <-"], "healing.retrys", 'Did you mean "retries"?', id="field"),
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
        pytest.param(
            ["healing:", "  retries:", "    transient: {first: 3}  # <-"], "transient.first", "30 s", id="no unit"
        ),
        pytest.param(
            ["healing:", "  retries:", "    transient: {first: 0 s}  # <-"], "transient.first", "30 s", id="no wait"
        ),
        pytest.param(
            ["healing:", "  breaker: {first: 40 d}  # <-"], "breaker.first", "up to 31 d", id="a wait without end"
        ),
        pytest.param(
            ["healing:", "  breaker: {first: 2 s, cap: 1 s}  # <-"], "breaker", "above its cap", id="first above cap"
        ),
        pytest.param(["healing:", "  breaker: {failures: 0}  # <-"], "breaker.failures", "1 to 100", id="no failure"),
        pytest.param(["healing:", "  retry_runs: 0  # <-"], "healing.retry_runs", "1 to 1,000", id="no runs"),
        pytest.param(["healing:", "  audit: repair  # <-"], "healing.audit", "warn, rewind", id="audit"),
        pytest.param(["healing:", "  stand_in:  # <-"], "healing.stand_in", "previous_partition", id="no stand-in"),
        pytest.param(["healing:", "  stand_in: last  # <-"], "healing.stand_in", "previous_partition", id="which one"),
        pytest.param(
            ["healing:", "  stand_in: {file: a}  # <-"], "healing.stand_in.file", "is not a field", id="stand-in field"
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
    healed = replace(contract, healing=HealingPolicy(runs_per_dataset=1, stand_in=StandIn()))

    assert (fingerprint_of(healed), rules_fingerprint_of(healed)) == (
        fingerprint_of(contract),
        rules_fingerprint_of(contract),
    )
