"""What every ledger does: one incident per thing that went wrong, with what was done about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident, RemedyKind, RemedyTaken

if TYPE_CHECKING:
    from resources.ledger import Ledger

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
DAY = "2026-11-20"
RETRY = RemedyTaken(RemedyKind.RETRY_LATER, NOON, note="in 5 minutes", run_id="run-2", usd=0.25)


def _incident(**changes: Any) -> Incident:
    incident = Incident(
        number=0,
        dataset="orders",
        partition=DAY,
        version="v1",
        failure_class=FailureClass.SINK_UNAVAILABLE,
        opened_at=NOON,
        detected_at=NOON + timedelta(seconds=5),
        evidence="it broke",
        run_id="run-1",
        downstream=("revenue", "customers"),
    )
    return replace(incident, **changes)


def _note(ledger: Ledger, incident: Incident, *remedies: RemedyTaken) -> None:
    for remedy in remedies:
        ledger.note_remedy(incident.number, remedy)


class TestOpening:
    def test_a_new_one_gets_a_number_and_is_read_back_whole(self, ledger: Ledger) -> None:
        opened = ledger.open_incident(_incident())

        assert opened == _incident(number=opened.number)
        assert opened.number > 0
        assert ledger.incidents() == (opened,)

    def test_numbers_rise(self, ledger: Ledger) -> None:
        numbers = [ledger.open_incident(_incident(partition=f"2026-11-{day}")).number for day in (21, 20, 19)]

        assert numbers == sorted(set(numbers))
        assert [incident.number for incident in ledger.incidents()] == numbers

    def test_the_remedies_it_comes_with_are_kept(self, ledger: Ledger) -> None:
        opened = ledger.open_incident(_incident(remedies=(RETRY,)))

        assert opened.remedies == (RETRY,)
        assert ledger.incidents() == (opened,)

    def test_the_open_one_of_the_class_is_updated_instead(self, ledger: Ledger) -> None:
        first = ledger.open_incident(_incident())
        ledger.note_remedy(first.number, RETRY)
        news: dict[str, Any] = {
            "version": "v2",
            "evidence": "it broke again",
            "run_id": "run-2",
            "downstream": ("revenue",),
        }

        again = ledger.open_incident(_incident(opened_at=LATER, detected_at=LATER, **news))

        assert again == replace(first, remedies=(RETRY,), **news)
        assert ledger.incidents() == (again,)

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"dataset": "payments"}, id="dataset"),
            pytest.param({"partition": "2026-11-19"}, id="partition"),
            pytest.param({"failure_class": FailureClass.QUALITY}, id="class"),
        ],
    )
    def test_any_other_is_one_of_its_own(self, ledger: Ledger, change: dict[str, Any]) -> None:
        first = ledger.open_incident(_incident())

        other = ledger.open_incident(_incident(**change))

        assert ledger.incidents() == (first, other)
        assert other == _incident(number=other.number, **change)

    def test_a_resolved_one_stays_as_it_is(self, ledger: Ledger) -> None:
        first = ledger.open_incident(_incident())
        ledger.resolve_incidents("orders", DAY, LATER, "sluice")

        second = ledger.open_incident(_incident(evidence="it broke again"))

        resolved = replace(first, resolved_at=LATER, resolved_by="sluice")
        assert ledger.incidents() == (resolved, second)
        assert second.number > first.number

    def test_a_class_can_be_resolved_again_and_again(self, ledger: Ledger) -> None:
        ledger.open_incident(_incident())
        ledger.resolve_incidents("orders", DAY, NOON, "sluice")
        ledger.open_incident(_incident())
        ledger.resolve_incidents("orders", DAY, LATER, "sluice")

        assert [incident.resolved_at for incident in ledger.incidents()] == [NOON, LATER]

    def test_evidence_may_quote_any_character(self, ledger: Ledger) -> None:
        opened = ledger.open_incident(_incident(evidence="bad value '\x00'\udcff in line 3 🚰"))

        assert opened.evidence.startswith("bad value '")
        assert opened.evidence.endswith(" in line 3 🚰")


class TestRemedies:
    def test_they_come_in_the_order_they_were_noted(self, ledger: Ledger) -> None:
        opened = ledger.open_incident(_incident())
        remedies = (
            replace(RETRY, taken_at=LATER),
            replace(RETRY, run_id="run-3", usd=None),
            replace(RETRY, kind=RemedyKind.REWIND),
            RemedyTaken(RemedyKind.ESCALATE, NOON),
        )

        _note(ledger, opened, *remedies)

        assert ledger.incidents()[0].remedies == remedies

    @pytest.mark.parametrize("run_id", [pytest.param("run-2", id="run"), pytest.param(None, id="no run")])
    def test_one_of_the_same_kind_and_run_is_there_once(self, ledger: Ledger, run_id: str | None) -> None:
        opened = ledger.open_incident(_incident())
        remedy = replace(RETRY, run_id=run_id)
        ledger.note_remedy(opened.number, remedy)

        ledger.note_remedy(opened.number, replace(remedy, taken_at=LATER, note="again", usd=9.0))

        assert ledger.incidents()[0].remedies == (remedy,)

    def test_a_cost_that_was_not_known_is_filled_in(self, ledger: Ledger) -> None:
        opened = ledger.open_incident(_incident(remedies=(replace(RETRY, usd=None), replace(RETRY, run_id="run-3"))))

        ledger.note_remedy(opened.number, RETRY)
        ledger.note_remedy(opened.number, replace(RETRY, usd=None))

        assert ledger.incidents()[0].remedies == (RETRY, replace(RETRY, run_id="run-3"))

    def test_a_cost_is_kept_to_the_billionth_of_a_dollar(self, ledger: Ledger) -> None:
        opened = ledger.open_incident(_incident(remedies=(replace(RETRY, usd=0.000_000_400_4),)))

        assert opened.remedies == (replace(RETRY, usd=0.000_000_4),)

    def test_each_incident_has_its_own(self, ledger: Ledger) -> None:
        first = ledger.open_incident(_incident())
        second = ledger.open_incident(_incident(failure_class=FailureClass.CODE))

        ledger.note_remedy(first.number, RETRY)
        ledger.note_remedy(second.number, RETRY)

        assert [incident.remedies for incident in ledger.incidents()] == [(RETRY,), (RETRY,)]

    def test_a_resolved_incident_takes_one_too(self, ledger: Ledger) -> None:
        opened = ledger.open_incident(_incident())
        ledger.resolve_incidents("orders", DAY, LATER, "sluice")

        ledger.note_remedy(opened.number, RETRY)

        assert ledger.incidents()[0].remedies == (RETRY,)

    def test_an_incident_that_is_not_there_takes_none(self, ledger: Ledger) -> None:
        with pytest.raises(ValueError, match="There is no incident 7"):
            ledger.note_remedy(7, RETRY)

        assert ledger.incidents() == ()


class TestResolving:
    def test_all_open_ones_of_the_partition_are_closed(self, ledger: Ledger) -> None:
        ledger.open_incident(_incident())
        ledger.open_incident(_incident(failure_class=FailureClass.CODE))
        others = (
            ledger.open_incident(_incident(partition="2026-11-19")),
            ledger.open_incident(_incident(dataset="payments")),
        )

        assert ledger.resolve_incidents("orders", DAY, LATER, "Ann") == 2

        assert ledger.incidents(open_only=True) == others
        assert [(item.resolved_at, item.resolved_by) for item in ledger.incidents()[:2]] == [(LATER, "Ann")] * 2

    def test_the_class_that_is_kept_stays_open(self, ledger: Ledger) -> None:
        kept = ledger.open_incident(_incident(failure_class=FailureClass.SCHEMA_DRIFT))
        ledger.open_incident(_incident())

        assert ledger.resolve_incidents("orders", DAY, LATER, "sluice", keep=FailureClass.SCHEMA_DRIFT) == 1

        assert ledger.incidents(open_only=True) == (kept,)

    def test_what_is_resolved_is_not_resolved_again(self, ledger: Ledger) -> None:
        ledger.open_incident(_incident())
        ledger.resolve_incidents("orders", DAY, NOON, "Ann")

        assert ledger.resolve_incidents("orders", DAY, LATER, "sluice") == 0

        assert [(item.resolved_at, item.resolved_by) for item in ledger.incidents()] == [(NOON, "Ann")]

    def test_nothing_to_resolve_is_none_resolved(self, ledger: Ledger) -> None:
        assert ledger.resolve_incidents("orders", DAY, NOON, "sluice") == 0


def test_incidents_are_found_by_dataset_and_whether_they_are_open(ledger: Ledger) -> None:
    ledger.open_incident(_incident())
    ledger.resolve_incidents("orders", DAY, LATER, "sluice")
    ledger.open_incident(_incident(dataset="payments"))
    ledger.open_incident(_incident(version="v2"))

    resolved, of_payments, still_open = ledger.incidents()
    assert ledger.incidents("orders") == (resolved, still_open)
    assert ledger.incidents("orders", open_only=True) == (still_open,)
    assert ledger.incidents(open_only=True) == (of_payments, still_open)
    assert ledger.incidents("customers") == ()


def test_only_the_first_notice_of_a_key_is_the_first(ledger: Ledger) -> None:
    assert ledger.first_notice("orders/opened", NOON)
    assert not ledger.first_notice("orders/opened", LATER)
    assert ledger.first_notice("orders/resolved", LATER)
