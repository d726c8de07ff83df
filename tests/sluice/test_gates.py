from __future__ import annotations

import pytest

from sluice.contract import Contract
from sluice.gates import GATES
from sluice.gates.evidence import StagedEvidence
from sluice.gates.records_are_conserved import judge
from sluice.outcome import ObjectBalance, Outcome, StagedFile
from sluice.profile import Profile


def evidence(outcome: Outcome) -> StagedEvidence:
    return StagedEvidence(Contract("orders", "1.0.0", ()), outcome, Profile())


def outcome(
    *,
    records_in: int = 10,
    published: int = 7,
    quarantined: int = 2,
    duplicates: int = 1,
    in_files: int = 7,
    in_quarantine_files: int = 2,
) -> Outcome:
    balance = ObjectBalance(
        key="raw/orders/a.jsonl",
        etag="e",
        records_in=records_in,
        published=published,
        quarantined=quarantined,
        duplicates=duplicates,
    )
    return Outcome(
        dataset="orders",
        partition="2026-11-01",
        fingerprint="f",
        contract_version="1.0.0",
        contract_fingerprint="c",
        code_version="1",
        run_id="run",
        objects=(balance,),
        files=(StagedFile(key="a", records=in_files, size_bytes=1),),
        quarantine_files=(StagedFile(key="b", records=in_quarantine_files, size_bytes=1),),
    )


def test_a_balance_that_closes_holds() -> None:
    verdict = judge(evidence(outcome()))

    assert verdict.holds
    assert verdict.explanation == "10 in = 7 published + 2 quarantined + 1 duplicates"
    assert verdict.numbers == {"records_in": 10, "published": 7, "quarantined": 2, "duplicates": 1, "objects": 1}


def test_a_partition_without_records_holds() -> None:
    empty = outcome(records_in=0, published=0, quarantined=0, duplicates=0, in_files=0, in_quarantine_files=0)

    assert judge(evidence(empty)).holds


@pytest.mark.parametrize(
    ("broken", "explanation"),
    [
        pytest.param(outcome(records_in=11), "raw/orders/a.jsonl has 11 records but 10 are accounted for", id="lost"),
        pytest.param(outcome(records_in=9), "raw/orders/a.jsonl has 9 records but 10 are accounted for", id="invented"),
        pytest.param(outcome(in_files=6), "7 records count as published but the files hold 6", id="file too short"),
        pytest.param(
            outcome(in_quarantine_files=3), "2 records count as quarantined but the files hold 3", id="quarantine"
        ),
    ],
)
def test_a_balance_that_does_not_close_says_where(broken: Outcome, explanation: str) -> None:
    verdict = judge(evidence(broken))

    assert not verdict.holds
    assert verdict.explanation == explanation


def test_losses_that_cancel_out_over_objects_do_not_hold() -> None:
    one = outcome(records_in=11).objects[0]
    other = outcome(records_in=9).objects[0]
    both = outcome(in_files=14, in_quarantine_files=4).model_copy(update={"objects": (one, other)})

    assert not judge(evidence(both)).holds


def test_gate_names_are_unique_facts() -> None:
    names = [gate.name for gate in GATES]

    assert len(names) == len(set(names))
    assert "records_are_conserved" in names
