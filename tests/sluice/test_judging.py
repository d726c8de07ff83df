from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sluice.acceptance import Acceptance
from sluice.contract import Contract, rules_fingerprint_of
from sluice.gate_rules import GateRules
from sluice.gates.verdict import RawGate, Severity, Verdict
from sluice.judged import Judged
from sluice.judging import are_current, faults, gates_of, gates_told, stopping
from sluice.version import Version

NOW = datetime(2026, 11, 3, 8, tzinfo=UTC)
VERSION = Version("f" * 16, "c" * 12, "1")
CONTRACT = Contract("orders", "1.0.0", ())
BROKEN = Verdict(holds=False, explanation="too few", numbers={"value": 1})


def gate(name: str = "row_count_is_expected", *, applies: bool = True) -> RawGate:
    return RawGate(name=name, description="", cure="", applies=lambda _: applies, judge=lambda _: BROKEN)


def judged(verdict: Verdict = BROKEN, severity: Severity = Severity.BLOCK, **changed: object) -> Judged:
    made = Judged(
        "orders",
        "2026-11-03",
        str(VERSION),
        "row_count_is_expected",
        rules_fingerprint_of(CONTRACT),
        severity,
        verdict,
        "run",
        NOW,
    )
    return replace(made, **changed)  # type: ignore[arg-type]  # fields of Judged


def acceptance(**changed: object) -> Acceptance:
    made = Acceptance(1, "orders", "2026-11-03", "row_count_is_expected", VERSION.fingerprint)
    return replace(made, **changed)  # type: ignore[arg-type]  # fields of Acceptance


def test_a_gate_that_does_not_apply_or_is_off_is_not_asked() -> None:
    off = replace(CONTRACT, gates=GateRules(severities=(("row_count_is_expected", Severity.OFF),)))

    asked = gates_of(CONTRACT, [gate(), gate("other", applies=False)])

    assert [item.name for item in asked] == ["row_count_is_expected"]
    assert gates_of(off, [gate()]) == ()


@pytest.mark.parametrize(
    "open_one",
    [
        pytest.param(judged(replace(BROKEN, holds=True)), id="it holds"),
        pytest.param(judged(replace(BROKEN, may_block=False)), id="too little is known"),
        pytest.param(judged(severity=Severity.WARN), id="the contract only warns"),
    ],
)
def test_only_a_broken_blocking_verdict_stops(open_one: Judged) -> None:
    assert stopping([open_one, judged()], ()) == (judged(),)


@pytest.mark.parametrize(
    ("given", "stops"),
    [
        pytest.param(acceptance(), False, id="for these data"),
        pytest.param(acceptance(fingerprint="e" * 16), True, id="for other data of the same date"),
        pytest.param(acceptance(partition="2026-11-04"), True, id="for another date"),
        pytest.param(acceptance(gate="key_is_unique"), True, id="for another gate"),
        pytest.param(acceptance(dataset="payments"), True, id="for another dataset"),
    ],
)
def test_an_acceptance_covers_one_gate_and_exactly_these_data(given: Acceptance, stops: bool) -> None:  # noqa: FBT001
    assert bool(stopping([judged()], [given])) is stops


HOLDS = judged(replace(BROKEN, holds=True))


@pytest.mark.parametrize(
    ("recorded", "current"),
    [
        pytest.param([HOLDS], True, id="all hold"),
        pytest.param([], False, id="not judged"),
        pytest.param([judged()], False, id="blocked then, so asked again"),
        pytest.param([replace(HOLDS, version=str(Version("e" * 16, "c" * 12, "1")))], False, id="another version"),
        pytest.param([replace(HOLDS, rules="0" * 12)], False, id="judged under other rules"),
    ],
)
def test_recorded_verdicts_answer_only_for_the_same_version_and_rules(recorded: list[Judged], current: bool) -> None:  # noqa: FBT001
    assert are_current(recorded, [gate()], CONTRACT, VERSION) is current


def test_a_changed_limit_changes_the_rules_but_not_what_is_staged() -> None:
    stricter = replace(CONTRACT, gates=GateRules(max_rejected_share=0.01))

    assert rules_fingerprint_of(stricter) != rules_fingerprint_of(CONTRACT)
    assert stricter.fingerprint == CONTRACT.fingerprint


def test_gates_are_found_again_in_what_was_told_of_them() -> None:
    told = faults([judged(), judged(gate="key_is_unique")])

    assert gates_told(told, [gate("key_is_unique"), gate(), gate("other")]) == (
        "key_is_unique",
        "row_count_is_expected",
    )
    assert gates_told("Connection refused", [gate()]) == ()
