from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sluice.acceptance import Acceptance
from sluice.contract import Contract, FileFormat, Source, rules_fingerprint_of
from sluice.gate_rules import Completeness, GateRules, Reference
from sluice.gates.verdict import Severity, Verdict
from sluice.healing.breaker import Breaker, BreakerState
from sluice.healing.failure import FailureClass
from sluice.history import Attempt
from sluice.judged import Judged
from sluice.reopening import reopenings
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOW = datetime(2026, 11, 3, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
VERSION = Version("f" * 16, "c" * 12, "1")
CONTRACT = Contract(
    "orders",
    "1.0.0",
    (),
    source=Source("orders/date={date}/*.jsonl", FileFormat.JSONL),
    gates=GateRules(
        completeness=Completeness(marker="orders/date={date}/_SUCCESS"), references=(Reference("customers", 0),)
    ),
)


@dataclass(frozen=True)
class Seen:
    given: tuple[Acceptance, ...] = ()
    published: Mapping[str, datetime] = field(default_factory=dict)
    etags: Mapping[str, str] = field(default_factory=dict)
    breakers: tuple[Breaker, ...] = ()

    def acceptances(self, dataset: str) -> Sequence[Acceptance]:
        return [item for item in self.given if item.dataset == dataset]

    def first_published(self, dataset: str) -> Mapping[str, datetime]:
        return self.published if dataset == "customers" else {}

    def etag(self, key: str) -> str | None:
        return self.etags.get(key)

    def holding(self, dataset: str) -> Sequence[Breaker]:
        return self.breakers if dataset == "orders" else ()


def blocked(gate: str, **changed: object) -> Judged:
    made = Judged(
        "orders",
        "2026-11-03",
        str(VERSION),
        gate,
        rules_fingerprint_of(CONTRACT),
        Severity.BLOCK,
        Verdict(holds=False, explanation="no", numbers={}),
        "run-1",
        NOW,
    )
    return replace(made, **changed)  # type: ignore[arg-type]  # fields of Judged


def accepted(gate: str, partition: str = "2026-11-03", number: int = 4) -> Acceptance:
    return Acceptance(number, "orders", partition, gate, VERSION.fingerprint, accepted_at=LATER)


def reasons(*blocking: Judged, seen: Seen | None = None, now: datetime = LATER) -> list[tuple[str, ...]]:
    return [item.reasons for item in reopenings({"orders": CONTRACT}, blocking, seen or Seen(), now)]


MARKER = {"raw/orders/date=2026-11-03/_SUCCESS": "e1"}


@pytest.mark.parametrize(
    ("gate", "seen", "now", "reason"),
    [
        pytest.param("key_is_unique", Seen((accepted("key_is_unique"),)), LATER, "acceptance 4", id="accepted"),
        pytest.param(
            "row_count_is_expected",
            Seen((accepted("row_count_is_expected", "2026-11-02", 7),)),
            LATER,
            "acceptance 7",
            id="the new level was accepted for an earlier date",
        ),
        pytest.param("raw_is_complete", Seen(etags=MARKER), LATER, "control e1", id="the marker has come"),
        pytest.param(
            "estimated_cost_is_within_budget",
            Seen(),
            datetime(2026, 12, 1, tzinfo=UTC),
            "month 2026-12",
            id="a new month has begun",
        ),
        pytest.param(
            "reference_data_is_current",
            Seen(published={"2026-11-03": LATER}),
            LATER,
            "reference customers 2026-11-03",
            id="reference data has come",
        ),
    ],
)
def test_a_closed_gate_is_asked_again_when_what_it_waits_for_has_come(
    gate: str, seen: Seen, now: datetime, reason: str
) -> None:
    assert reasons(blocked(gate), seen=seen, now=now) == [(reason,)]


@pytest.mark.parametrize(
    ("gate", "seen"),
    [
        pytest.param("key_is_unique", Seen((accepted("nulls_are_within_limits"),)), id="another gate was accepted"),
        pytest.param(
            "row_count_is_expected",
            Seen((accepted("row_count_is_expected", "2026-11-04"),)),
            id="a later date was accepted",
        ),
        pytest.param(
            "key_is_unique",
            Seen((accepted("key_is_unique", "2026-11-02"),)),
            id="an earlier date, but nothing is learned",
        ),
        pytest.param("raw_is_complete", Seen(), id="no marker yet"),
        pytest.param("estimated_cost_is_within_budget", Seen(), id="the same month"),
        pytest.param(
            "reference_data_is_current",
            Seen(published={"2026-11-02": NOW - timedelta(hours=1), "2026-11-04": LATER}),
            id="reference data was there before, or is of a later date",
        ),
    ],
)
def test_without_news_a_closed_gate_stays_closed(gate: str, seen: Seen) -> None:
    assert reasons(blocked(gate), seen=seen) == []


def test_a_changed_contract_is_a_reason() -> None:
    assert reasons(blocked("key_is_unique", rules="0" * 12)) == [(f"contract {rules_fingerprint_of(CONTRACT)}",)]


def test_every_closed_gate_needs_a_reason() -> None:
    both = (blocked("raw_is_complete"), blocked("key_is_unique"))

    assert reasons(*both, seen=Seen(etags=MARKER)) == []
    assert reasons(*both, seen=Seen((accepted("key_is_unique"),), etags=MARKER)) == [("control e1", "acceptance 4")]


def test_a_dataset_that_no_contract_declares_any_more_is_left_alone() -> None:
    assert reasons(blocked("key_is_unique", dataset="gone", rules="0" * 12)) == []


BOOM = Attempt("orders", "2026-11-02", str(VERSION), 1, "run-0", NOW, NOW, "boom", FailureClass.CODE)
OPEN = Breaker("dataset orders", BreakerState.OPEN, (BOOM,), NOW, NOW + timedelta(minutes=1))
HALF_OPEN = replace(OPEN, state=BreakerState.HALF_OPEN)


@pytest.mark.parametrize(
    ("breakers", "reason"),
    [
        pytest.param((OPEN,), None, id="open"),
        pytest.param((HALF_OPEN, OPEN), None, id="one of two is open"),
        pytest.param((HALF_OPEN,), f"probe dataset orders {NOW.isoformat()} 3", id="a probe is due"),
        pytest.param((), f"breakers closed since {NOW.isoformat()}", id="closed"),
    ],
)
def test_what_is_held_waits_for_its_breakers(breakers: tuple[Breaker, ...], reason: str | None) -> None:
    found = reopenings({"orders": CONTRACT}, [blocked("breaker_is_closed")], Seen(breakers=breakers), LATER)

    assert [item.reasons for item in found] == ([(reason,)] if reason else [])
    assert [(item.probe, item.is_release) for item in found] == (
        [(reason if breakers else None, not breakers)] if reason else []
    )


def test_changed_rules_alone_release_nothing_that_a_breaker_holds() -> None:
    held = blocked("breaker_is_closed", rules="other")

    assert reasons(held, seen=Seen(breakers=(OPEN,))) == []


def test_what_is_held_and_blocked_waits_for_both() -> None:
    assert reasons(blocked("breaker_is_closed"), blocked("key_is_unique")) == []


def test_a_person_may_force_what_is_held() -> None:
    seen = Seen((accepted("breaker_is_closed"),), breakers=(OPEN,))

    assert reasons(blocked("breaker_is_closed"), seen=seen) == [("acceptance 4",)]
