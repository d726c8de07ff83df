from __future__ import annotations

import pytest

from sluice.cost.budget import Estimate, Funding, Purpose, Request
from sluice.gates.estimated_cost_is_within_budget import ESTIMATED_COST_IS_WITHIN_BUDGET as GATE
from sluice.gates.evidence import RawEvidence
from sluice.gates.verdict import Severity, Verdict
from tests.sluice.cost.prices import contract_with


def judged(
    usd: float, *, granted: bool, limit: float | None = 10.0, spent: float = 9.0, reserved: float = 0.8
) -> Verdict:
    request = Request(
        "orders", "2026-11-03", "f-c-1", "run", "2026-11", Purpose.BUILD, Estimate(3.5, 1, 1, usd, "5 builds")
    )
    funding = Funding(request, granted, "monthly", limit, spent, reserved, "contract")
    return GATE.judge(RawEvidence(contract_with(), "2026-11-03", (), funding=funding))


def test_what_the_budget_refuses_does_not_hold() -> None:
    verdict = judged(0.42, granted=False)

    assert not verdict.holds
    assert verdict.explanation == (
        "0.42 USD would be spent, but of the monthly budget of 10.00 USD 9.80 are spent or reserved; 0.20 are left."
    )
    assert verdict.threshold == "10.00 USD in 2026-11 (monthly budget)"
    assert verdict.origin == "contract"


def test_what_the_budget_grants_holds() -> None:
    verdict = judged(0.1, granted=True)

    assert verdict.holds
    assert verdict.explanation == (
        "0.10 USD would be spent, and of the monthly budget of 10.00 USD 9.80 are spent or reserved; 0.20 are left."
    )


def test_the_numbers_can_be_plotted() -> None:
    assert judged(0.1, granted=True).numbers == {
        "estimated_usd": 0.1,
        "estimated_seconds": 3.5,
        "spent_usd": 9.0,
        "reserved_usd": 0.8,
        "limit_usd": 10.0,
        "left_usd": pytest.approx(0.2),
    }


def test_what_was_granted_regardless_of_the_limit_still_does_not_hold() -> None:
    assert not judged(0.42, granted=True).holds


def test_an_estimate_that_is_exactly_what_is_left_holds() -> None:
    assert judged(0.2, granted=True).holds


def test_what_costs_nothing_holds_when_everything_is_spent() -> None:
    assert judged(0.0, granted=True, spent=11.0).holds


def test_an_overdrawn_budget_has_nothing_left() -> None:
    verdict = judged(0.42, granted=False, spent=11.0)

    assert verdict.explanation.endswith("; 0.00 are left.")
    assert verdict.numbers["left_usd"] == 0


def test_without_a_limit_it_holds() -> None:
    verdict = judged(0.42, granted=True, limit=None)

    assert verdict.holds
    assert (
        verdict.explanation
        == "0.42 USD would be spent; 9.80 USD are spent or reserved this month, and there is no limit."
    )
    assert "limit_usd" not in verdict.numbers


def test_without_a_cost_it_holds() -> None:
    verdict = GATE.judge(RawEvidence(contract_with(), "2026-11-03", ()))

    assert (verdict.holds, verdict.explanation) == (True, "No cost is known.")


def test_it_is_a_gate_of_every_dataset_that_blocks_and_can_be_accepted() -> None:
    assert (GATE.applies(contract_with()), GATE.severity, GATE.acceptable) == (True, Severity.BLOCK, True)
