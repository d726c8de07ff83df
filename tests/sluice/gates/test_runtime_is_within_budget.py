from __future__ import annotations

import pytest

from sluice.cost.rules import Limit
from sluice.gates.evidence import StagedEvidence
from sluice.gates.runtime_is_within_budget import RUNTIME_IS_WITHIN_BUDGET as GATE
from sluice.gates.verdict import Severity, Verdict
from sluice.outcome import Outcome
from sluice.profile import Profile
from tests.sluice.cost.prices import contract_with

LEARNED = Limit(quantile=1.0, factor=3.0, minimum_history=3)


def judged(seconds: float, rule: Limit, *past: float) -> Verdict:
    outcome = Outcome(
        dataset="orders",
        partition="2026-11-03",
        fingerprint="f",
        contract_version="1.0.0",
        contract_fingerprint="c",
        code_version="1",
        run_id="run",
        objects=(),
        files=(),
        quarantine_files=(),
        seconds=seconds,
    )
    history = tuple((f"2026-10-{day:02}", value) for day, value in enumerate(past, start=1))
    contract = contract_with(runtime_seconds=rule)
    return GATE.judge(StagedEvidence(contract, outcome, Profile(), {"seconds": history} if past else {}))


@pytest.mark.parametrize(("seconds", "holds"), [(599.0, True), (600.0, True), (600.1, False)])
def test_a_fixed_limit_holds_up_to_itself(seconds: float, holds: bool) -> None:  # noqa: FBT001
    assert judged(seconds, Limit(fixed=600)).holds is holds


def test_the_explanation_has_both_numbers() -> None:
    verdict = judged(812.0, Limit(fixed=600))

    assert verdict.explanation == "Building took 812.0 s, at most 600.0 s are allowed."
    assert (verdict.threshold, verdict.origin) == ("at most 600.0 s", "contract")
    assert verdict.numbers == {"seconds": 812.0, "limit_seconds": 600}


def test_a_learned_limit_is_a_multiple_of_what_is_usual() -> None:
    verdict = judged(31.0, LEARNED, 9.0, 10.0, 9.5)

    assert not verdict.holds
    assert verdict.numbers["limit_seconds"] == pytest.approx(30.0)
    assert verdict.origin == "learned from 3 partitions: 10.0 s (quantile 1) x 3"


def test_one_very_slow_partition_does_not_lift_the_learned_limit() -> None:
    assert not judged(100.0, LEARNED, 9.0, 10.0, 9.5, 10.0, 5_000.0).holds


def test_before_the_minimum_history_there_is_no_limit() -> None:
    verdict = judged(1_000.0, LEARNED, 9.0, 10.0)

    assert verdict.holds
    assert verdict.origin == "learned after 3 partitions, 2 so far"


def test_it_applies_only_with_a_limit_and_warns_unless_the_contract_says_block() -> None:
    assert not GATE.applies(contract_with())
    assert GATE.applies(contract_with(runtime_seconds=LEARNED))
    assert GATE.severity is Severity.WARN
