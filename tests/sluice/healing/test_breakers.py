from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sluice.contract import CODE_VERSION, Contract, FileFormat, Source
from sluice.gate_rules import GateRules
from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.gates.evidence import RawEvidence
from sluice.gates.verdict import Severity
from sluice.healing.breaker import BreakerState
from sluice.healing.breakers import Breakers
from sluice.healing.failure import FailureClass
from sluice.history import Attempt
from sluice.version import Version

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
NAMES = ("orders", "customers", "revenue")
CONTRACTS = {
    name: Contract(
        name,
        "1.0.0",
        (),
        source=None if name == "revenue" else Source(f"{name}/date={{date}}/*", FileFormat.JSONL),
        transform_sql="SELECT 1" if name == "revenue" else None,
        fingerprint="c" * 12,
    )
    for name in NAMES
}
PRESENT = Version("f" * 16, "c" * 12, CODE_VERSION)
PULLED = Version("0" * 8 + "1" * 8, "c" * 12, CODE_VERSION)  # as sluice/pulling/schedule.py names a pull


class Known:
    """A ledger that holds what ended, the newest first."""

    def __init__(self, *ended: Attempt) -> None:
        self.ended = ended

    def ended_attempts(
        self, most: int, *, dataset: str | None = None, failure_class: FailureClass | None = None
    ) -> tuple[Attempt, ...]:
        fitting = (item for item in self.ended if dataset in {None, item.dataset})
        return tuple(
            item
            for item in fitting
            if failure_class is None or item.error is None or item.failure_class is failure_class
        )[:most]


def failed(dataset: str, failure_class: FailureClass, version: Version = PRESENT) -> Attempt:
    return Attempt(dataset, "2026-11-03", str(version), 1, "run", NOON, NOON, "boom", failure_class)


def states(known: Known, dataset: str, contracts: dict[str, Contract] = CONTRACTS) -> dict[str, BreakerState]:
    return {item.key: item.state for item in Breakers(contracts, known, NOON).of(dataset)}


CLOSED, OPEN = BreakerState.CLOSED, BreakerState.OPEN
FIVE_OF_CODE = Known(*[failed("orders", FailureClass.CODE)] * 5)


def test_a_dataset_that_fails_holds_itself_alone() -> None:
    assert states(FIVE_OF_CODE, "orders") == {"source raw zone": CLOSED, "warehouse": CLOSED, "dataset orders": OPEN}
    assert set(states(FIVE_OF_CODE, "customers").values()) == {CLOSED}


def test_a_corrected_contract_closes_the_breaker_of_its_dataset() -> None:
    corrected = {**CONTRACTS, "orders": replace(CONTRACTS["orders"], fingerprint="d" * 12)}

    assert states(FIVE_OF_CODE, "orders", corrected)["dataset orders"] is CLOSED


def test_a_warehouse_that_is_down_holds_every_dataset() -> None:
    down = Known(*[failed(name, FailureClass.SINK_UNAVAILABLE) for name in (*NAMES, "orders", "orders")])

    assert {name: states(down, name)["warehouse"] for name in NAMES} == dict.fromkeys(NAMES, OPEN)
    assert states(down, "orders")["dataset orders"] is CLOSED


def test_a_success_of_any_dataset_closes_the_warehouse() -> None:
    success = replace(failed("customers", FailureClass.CODE), error=None, failure_class=None)
    up = Known(success, *[failed("orders", FailureClass.SINK_UNAVAILABLE)] * 5)

    assert states(up, "revenue")["warehouse"] is CLOSED
    assert states(up, "orders")["dataset orders"] is OPEN


def test_other_failures_between_say_nothing_about_the_warehouse() -> None:
    mixed = [failed("orders", FailureClass.SINK_UNAVAILABLE), failed("orders", FailureClass.CODE)] * 5

    assert states(Known(*mixed), "customers")["warehouse"] is OPEN


def test_a_source_that_is_away_holds_those_who_read_it() -> None:
    away = Known(*[failed("orders", FailureClass.UPSTREAM_UNAVAILABLE)] * 5)

    assert states(away, "customers")["source raw zone"] is OPEN
    assert "source raw zone" not in states(away, "revenue")


def test_where_the_gate_only_warns_nothing_is_held() -> None:
    lenient = replace(CONTRACTS["orders"], gates=GateRules(severities=((BREAKER_IS_CLOSED.name, Severity.WARN),)))

    assert Breakers({**CONTRACTS, "orders": lenient}, FIVE_OF_CODE, NOON).holding("orders") == ()
    assert len(Breakers(CONTRACTS, FIVE_OF_CODE, NOON).holding("orders")) == 1


def test_what_is_held_has_a_verdict_that_blocks_and_says_why() -> None:
    judged = Breakers(CONTRACTS, FIVE_OF_CODE, NOON).hold("orders", "2026-11-04", PRESENT)

    assert (judged.gate, judged.run_id, judged.blocks) == ("breaker_is_closed", "", True)
    assert judged.verdict.explanation.startswith("dataset orders: 5 failures in a row, code")
    assert judged.verdict.facts["dataset orders"] == "open"
    assert judged.verdict.numbers == {"failures_in_a_row": 5, "open_breakers": 1}


def test_the_run_that_probes_is_let_through() -> None:
    later = NOON + timedelta(minutes=2)
    due = Breakers(CONTRACTS, FIVE_OF_CODE, later).of("orders")

    probe = BREAKER_IS_CLOSED.judge(RawEvidence(CONTRACTS["orders"], "2026-11-04", (), breakers=due, is_probe=True))
    other = BREAKER_IS_CLOSED.judge(RawEvidence(CONTRACTS["orders"], "2026-11-04", (), breakers=due))

    assert (probe.holds, other.holds) == (True, False)
    assert probe.explanation.startswith("This run is the probe. dataset orders: 5 failures in a row")


def test_without_failures_it_holds() -> None:
    calm = Breakers(CONTRACTS, Known(), NOON).of("orders")

    verdict = BREAKER_IS_CLOSED.judge(RawEvidence(CONTRACTS["orders"], "2026-11-04", (), breakers=calm))

    assert (verdict.holds, verdict.explanation) == (True, "All are closed.")


def test_a_pull_that_succeeds_says_nothing_about_what_comes_after_it() -> None:
    pulled = replace(failed("orders", FailureClass.CODE), version=str(PULLED), error=None, failure_class=None)
    builds = [failed("orders", FailureClass.CODE)] * 5
    sinks = [failed("orders", FailureClass.SINK_UNAVAILABLE)] * 5
    sources = [failed("orders", FailureClass.UPSTREAM_UNAVAILABLE)] * 5

    assert states(Known(pulled, *builds), "orders")["dataset orders"] is OPEN
    assert states(Known(pulled, *sinks), "orders")["warehouse"] is OPEN
    assert states(Known(pulled, *sources), "orders")["source raw zone"] is CLOSED
