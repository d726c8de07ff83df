from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sluice.contract import Contract, FileFormat, Source
from sluice.gate_rules import Completeness, GateRules
from sluice.gates.evidence import StagedEvidence
from sluice.gates.record_count_matches_control import RECORD_COUNT_MATCHES_CONTROL
from sluice.outcome import ObjectBalance, Outcome
from sluice.profile import Profile

ORDERS = Contract(
    "orders",
    "1.0.0",
    (),
    source=Source("orders/date={date}/*", FileFormat.JSONL),
    gates=GateRules(completeness=Completeness(control="orders/date={date}/_control.json")),
)


def balance(name: str, records: int) -> ObjectBalance:
    return ObjectBalance(
        key=f"raw/orders/{name}", etag="e", records_in=records, published=records, quarantined=0, duplicates=0
    )


def evidence(control: object) -> StagedEvidence:
    outcome = Outcome(
        dataset="orders",
        partition="2026-11-03",
        fingerprint="f",
        contract_version="1.0.0",
        contract_fingerprint="c",
        code_version="1",
        run_id="run",
        objects=(balance("a.jsonl", 700), balance("b.jsonl", 500)),
        files=(),
        quarantine_files=(),
    )
    data = control if isinstance(control, bytes) or control is None else json.dumps(control).encode()
    return StagedEvidence(contract=ORDERS, outcome=outcome, profile=Profile(), control=data)


def files(a: int, b: int) -> dict[str, object]:
    return {"files": [{"name": "a.jsonl", "records": a}, {"name": "b.jsonl", "records": b}]}


@pytest.mark.parametrize(
    ("control", "explanation"),
    [
        pytest.param({"records": 1_200}, "1,200 records were read; the control file says the same.", id="in all"),
        pytest.param(files(700, 500), "1,200 records were read; the control file says the same.", id="by file"),
        pytest.param(
            {"objects": 2}, "1,200 records were read; the control file does not say how many were sent.", id="not said"
        ),
    ],
)
def test_as_many_records_as_were_sent_hold(control: object, explanation: str) -> None:
    verdict = RECORD_COUNT_MATCHES_CONTROL.judge(evidence(control))

    assert verdict.holds
    assert verdict.explanation == explanation


@pytest.mark.parametrize(
    ("control", "explanation"),
    [
        pytest.param(
            {"records": 1_201},
            "1,200 records were read, but the control file says that 1,201 were sent.",
            id="one is missing",
        ),
        pytest.param(
            files(700, 499),
            "1,200 records were read, but the control file says that 1,199 were sent.",
            id="one too many",
        ),
        pytest.param(
            files(699, 501),
            "2 files do not have the number of records that the control file says.",
            id="losses that cancel out",
        ),
    ],
)
def test_another_number_of_records_does_not_hold(control: object, explanation: str) -> None:
    verdict = RECORD_COUNT_MATCHES_CONTROL.judge(evidence(control))

    assert not verdict.holds
    assert verdict.may_block
    assert verdict.explanation == explanation


def test_files_with_another_number_are_listed() -> None:
    verdict = RECORD_COUNT_MATCHES_CONTROL.judge(evidence(files(700, 499)))

    assert verdict.sample == ({"object": "raw/orders/b.jsonl", "records_in": 500, "records_sent": 499},)
    assert verdict.numbers == {"records_in": 1_200, "records_sent": 1_199}


@pytest.mark.parametrize(
    "control",
    [pytest.param(None, id="absent"), pytest.param(b"{", id="cut off"), pytest.param({"rows": 1}, id="empty")],
)
def test_without_a_control_file_it_only_warns_for_raw_is_complete_blocks(control: object) -> None:
    verdict = RECORD_COUNT_MATCHES_CONTROL.judge(evidence(control))

    assert not verdict.holds
    assert not verdict.may_block


def test_only_a_contract_that_asks_for_a_control_file_has_this_gate() -> None:
    marker_only = replace(ORDERS, gates=GateRules(completeness=Completeness(marker="orders/date={date}/_SUCCESS")))

    assert RECORD_COUNT_MATCHES_CONTROL.applies(ORDERS)
    assert not RECORD_COUNT_MATCHES_CONTROL.applies(marker_only)
    assert not RECORD_COUNT_MATCHES_CONTROL.applies(replace(ORDERS, gates=GateRules()))
