from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from sluice.contract import Contract
from sluice.gate_rules import GateRules, Reference
from sluice.gates.evidence import ReferenceSeen, StagedEvidence
from sluice.gates.reference_data_is_current import REFERENCE_DATA_IS_CURRENT
from sluice.outcome import Outcome
from sluice.profile import Profile

CONTRACT = Contract(
    "orders", "1.0.0", (), gates=GateRules(references=(Reference("customers", 1), Reference("prices", 30)))
)
OUTCOME = Outcome(
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
)
PRICES = ReferenceSeen("prices", date(2026, 10, 4), "p-1")
CUSTOMERS = ReferenceSeen("customers", date(2026, 11, 2), "c-1")


def evidence(*seen: ReferenceSeen) -> StagedEvidence:
    return StagedEvidence(contract=CONTRACT, outcome=OUTCOME, profile=Profile(), references=seen)


def test_references_that_are_recent_enough_hold_and_their_versions_are_shown() -> None:
    verdict = REFERENCE_DATA_IS_CURRENT.judge(evidence(PRICES, CUSTOMERS))

    assert verdict.holds
    assert verdict.facts == {"customers": "2026-11-02 c-1", "prices": "2026-10-04 p-1"}
    assert verdict.threshold == "customers at most 1 day older, prices at most 30 days older"
    assert verdict.numbers == {
        "references": 2,
        "stale_references": 0,
        "age_days_customers": 1,
        "age_days_prices": 30,
    }


@pytest.mark.parametrize(
    ("seen", "explanation"),
    [
        pytest.param(
            replace(CUSTOMERS, partition=date(2026, 11, 1)),
            "customers is of 2026-11-01, 2 days older; at most 1 day may be.",
            id="a day too old",
        ),
        pytest.param(
            ReferenceSeen("customers", None, None),
            "customers has no published partition up to this date.",
            id="not published",
        ),
        pytest.param(
            ReferenceSeen("others", date(2026, 11, 3), "o-1"),
            "customers has no published partition up to this date.",
            id="not looked for",
        ),
    ],
)
def test_a_stale_or_missing_reference_does_not_hold(seen: ReferenceSeen, explanation: str) -> None:
    verdict = REFERENCE_DATA_IS_CURRENT.judge(evidence(PRICES, seen))

    assert not verdict.holds
    assert verdict.explanation == explanation
    assert verdict.numbers["stale_references"] == 1


def test_a_missing_reference_is_shown_as_not_published() -> None:
    assert REFERENCE_DATA_IS_CURRENT.judge(evidence(PRICES)).facts["customers"] == "not published"


def test_only_a_contract_with_references_has_this_gate() -> None:
    assert REFERENCE_DATA_IS_CURRENT.applies(CONTRACT)
    assert not REFERENCE_DATA_IS_CURRENT.applies(replace(CONTRACT, gates=GateRules()))
