from __future__ import annotations

import pytest

from sluice.contract import Contract
from sluice.gate_rules import GateRules
from sluice.gates.evidence import StagedEvidence
from sluice.gates.rejected_share_is_acceptable import judge
from sluice.outcome import ObjectBalance, Outcome, ReasonCount
from sluice.profile import Profile


def evidence(rejected: int, records_in: int, *reasons: ReasonCount, limit: float | None = None) -> StagedEvidence:
    rules = GateRules() if limit is None else GateRules(max_rejected_share=limit)
    published = records_in - rejected
    balance = ObjectBalance(
        key="a", etag="e", records_in=records_in, published=published, quarantined=rejected, duplicates=0
    )
    outcome = Outcome(
        dataset="orders",
        partition="2026-11-01",
        fingerprint="f",
        contract_version="1.0.0",
        contract_fingerprint="c",
        code_version="1",
        run_id="run",
        objects=(balance,),
        files=(),
        quarantine_files=(),
        reasons=reasons,
    )
    return StagedEvidence(Contract("orders", "1.0.0", (), gates=rules), outcome, Profile())


def test_a_share_beyond_the_limit_does_not_hold() -> None:
    verdict = judge(evidence(120, 1000, limit=0.05))

    assert not verdict.holds
    assert verdict.explanation == "120 of 1,000 records (12.0 %) were rejected, at most 5.0 % may be."
    assert verdict.numbers == {"rejected_share": 0.12, "limit": 0.05, "rejected": 120, "records_in": 1000}
    assert (verdict.threshold, verdict.origin) == ("at most 5.0 % rejected", "contract")


@pytest.mark.parametrize(
    ("rejected", "records_in", "limit"),
    [
        pytest.param(50, 1000, 0.05, id="just at the limit"),
        pytest.param(0, 1000, 0.0, id="none, and none may be"),
        pytest.param(0, 0, 0.0, id="an empty partition"),
    ],
)
def test_a_share_within_the_limit_holds(rejected: int, records_in: int, limit: float) -> None:
    assert judge(evidence(rejected, records_in, limit=limit)).holds


def test_half_of_the_records_may_be_rejected_unless_the_contract_says() -> None:
    assert judge(evidence(5, 10)).holds
    assert not judge(evidence(6, 10)).holds
    assert judge(evidence(5, 10)).origin == "default"


def test_a_few_among_millions_do_not_read_as_none() -> None:
    assert "(0.00015 %)" in judge(evidence(3, 2_000_000)).explanation


def test_the_commonest_reasons_are_shown_over_all_objects() -> None:
    common = [ReasonCount(key=key, code="not_a_number", column="amount", records=30) for key in ("a", "b")]
    rare = [ReasonCount(key="a", code=f"code_{number:02}", column=None, records=1) for number in range(12)]

    sample = judge(evidence(70, 100, *rare, *common)).sample

    assert sample[0] == {"code": "not_a_number", "column": "amount", "records": 60}
    assert len(sample) == 10
