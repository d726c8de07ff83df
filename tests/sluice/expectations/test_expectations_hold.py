"""The gate: critical failures block, warnings warn, information is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sluice.contract import Column, Contract
from sluice.datatypes import Integer
from sluice.expectations.expectation import Expectation, Importance
from sluice.expectations.results import Result, Results
from sluice.gates.evidence import StagedEvidence
from sluice.gates.expectations_hold import EXPECTATIONS_HOLD
from sluice.outcome import Outcome
from sluice.profile import Profile

if TYPE_CHECKING:
    from sluice.gates.verdict import Verdict

OUTCOME = Outcome(
    dataset="things",
    partition="2026-11-01",
    fingerprint="f",
    contract_version="1",
    contract_fingerprint="c",
    code_version="1",
    run_id="r",
    objects=(),
    files=(),
    quarantine_files=(),
)


def result(name: str, importance: str = "critical", *, success: bool = False, failing: int | None = 3) -> Result:
    expectation = Expectation("expect_column_values_to_not_be_null", "{}", name, Importance(importance))
    return Result(expectation, success, failing, "{}", sample=({"id": 7}, {"id": 8}))


def verdict_of(*results: Result) -> Verdict:
    contract = Contract("things", "1", (Column("id", Integer()),), expectations=tuple(r.expectation for r in results))
    judged = Results(results, "", "", {"engine": "DuckDB"})
    return EXPECTATIONS_HOLD.judge(StagedEvidence(contract, OUTCOME, Profile(), expectations=judged))


def test_met_expectations_hold() -> None:
    verdict = verdict_of(result("a", success=True, failing=0), result("b", success=True, failing=0))

    assert (verdict.holds, verdict.explanation) == (True, "All 2 expectations met.")
    assert verdict.facts == {"engine": "DuckDB"}


@pytest.mark.parametrize(
    ("importance", "holds", "may_block"),
    [("critical", False, True), ("warning", False, False), ("info", True, False)],
)
def test_importance_decides_what_a_failure_does(importance: str, *, holds: bool, may_block: bool) -> None:
    verdict = verdict_of(result("a", importance), result("b", success=True))

    assert (verdict.holds, verdict.may_block) == (holds, may_block)


def test_failures_are_named_with_their_counts() -> None:
    verdict = verdict_of(result("amount is there", failing=1200), result("b", "warning"), result("c", success=True))

    assert verdict.explanation == (
        "2 of 3 expectations not met; critical: amount is there (1,200 failing); warning: b (3 failing)."
    )
    assert verdict.numbers == {
        "expectations": 3,
        "failed_critical": 1,
        "failed_warning": 1,
        "failed_info": 0,
        "failing_amount_is_there": 1200,
        "failing_b": 3,
    }


def test_many_failures_are_counted_and_not_all_named() -> None:
    verdict = verdict_of(*[result(f"rule {number}") for number in range(5)])

    assert verdict.explanation.endswith("rule 2 (3 failing), 2 more.")


def test_every_failure_is_in_the_sample_before_any_is_there_twice() -> None:
    verdict = verdict_of(*[result(f"rule {number}") for number in range(8)])

    assert [row["expectation"] for row in verdict.sample[:8]] == [f"rule {number}" for number in range(8)]
    assert len(verdict.sample) == 10
    assert verdict.sample[0] == {"expectation": "rule 0", "failing": 3, "sample": "id=7"}


def test_an_expectation_that_could_not_be_judged_fails_with_its_error() -> None:
    broken = Result(result("a").expectation, success=False, failing=None, observed="{}", error="it broke")

    verdict = verdict_of(broken)

    assert (verdict.holds, verdict.may_block, verdict.facts["a"]) == (False, True, "error: it broke")
    assert "a (could not be judged)" in verdict.explanation


@pytest.mark.parametrize(
    ("observed", "words"),
    [
        ({"observed_value": 1, "details": {"unexpected_rows": [{"measured": 1234}]}}, "is 1,234"),
        ({"observed_value": 1, "details": {"unexpected_rows": [{"measured": None}]}}, "is no number"),
        ({"observed_value": 0.25}, "is 0.25"),
        ({"observed_value": None}, "not met"),
    ],
    ids=["measured", "nothing_measured", "observed", "unknown"],
)
def test_a_number_that_counts_no_records_is_told(observed: dict[str, object], words: str) -> None:
    found = Result(result("a").expectation, success=False, failing=None, observed=json.dumps(observed))

    assert verdict_of(found).explanation == f"1 of 1 expectation not met; critical: a ({words})."


def test_only_datasets_with_quality_rules_have_the_gate() -> None:
    contract = Contract("things", "1", (Column("id", Integer()),))

    assert not EXPECTATIONS_HOLD.applies(contract)
