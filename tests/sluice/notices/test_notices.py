"""Incidents become few notices: to whom, when, with which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from sluice.contract import Contract
from sluice.healing.failure import FailureClass
from sluice.healing.incident import ARRIVALS, Incident, RemedyKind, RemedyTaken
from sluice.history import Published
from sluice.notices.news import news_of_incidents, news_of_publications
from sluice.notices.notice import MOST_NEWS, body_of, key_of, notices_for, title_of
from sluice.notices.rules import Event, NoticeSeverity, NotifyRules, QuietHours, Route
from sluice.notices.told import Told
from sluice.outcome import ObjectBalance, Outcome

if TYPE_CHECKING:
    from sluice.notices.notice import Notice

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = "2026-11-20"
OPS = Route("OPS")
NIGHT = QuietHours(time(22), time(7), "Etc/UTC")
MIDNIGHT = datetime(2026, 11, 21, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 21, 7, tzinfo=UTC)


def contract(*routes: Route, quiet_hours: QuietHours | None = None, success: bool = False) -> Contract:
    rules = NotifyRules(routes or (OPS,), quiet_hours, success)
    return Contract("orders", "1.0.0", (), owner="shop-data@example.com", notify=rules)


def incident(number: int = 12, *remedies: RemedyTaken, at: datetime = NOON, partition: str = DAY) -> Incident:
    return Incident(
        number,
        "orders",
        partition,
        "v1",
        FailureClass.QUALITY,
        at - MINUTE,
        at,
        "12 % of 1,000 records were rejected.",
        "run-1",
        remedies,
    )


def many(count: int, *, at: datetime = NOON) -> list[Incident]:
    first = datetime(2024, 1, 1, tzinfo=UTC)
    return [
        incident(number, at=at, partition=(first + timedelta(days=number)).date().isoformat())
        for number in range(1, count + 1)
    ]


def escalation(at: datetime = NOON) -> RemedyTaken:
    return RemedyTaken(RemedyKind.ESCALATE, at, "three tries")


def resolved(what: Incident, at: datetime) -> Incident:
    return replace(what, resolved_at=at, resolved_by="sluice")


def publication(partition: str = DAY, at: datetime = NOON) -> Published:
    outcome = Outcome(
        dataset="orders",
        partition=partition,
        fingerprint="a" * 16,
        contract_version="1.0.0",
        contract_fingerprint="c" * 12,
        code_version="1",
        run_id="run-1",
        objects=(ObjectBalance(key="k", etag="e", records_in=1000, published=990, quarantined=10, duplicates=0),),
        files=(),
        quarantine_files=(),
    )
    return Published(outcome, 1, at)


def notices(
    *incidents: Incident, by: Contract | None = None, told: Told | None = None, now: datetime = NOON + MINUTE
) -> tuple[Notice, ...]:
    return notices_for(news_of_incidents({"orders": by or contract()}, incidents, told or Told(), now))


def events_of(*found: Notice) -> list[tuple[str, str]]:
    return [(notice.route, notice.news[0].event) for notice in found]


def test_an_opened_incident_is_told_with_all_that_a_person_needs() -> None:
    (notice,) = notices(replace(incident(), downstream=("tables/revenue",)))

    assert title_of(notice) == "orders 2026-11-20 failed: quality"
    assert body_of(notice) == (
        "12 % of 1,000 records were rejected.\n"
        "Detected 2026-11-21 12:00 UTC.\n"
        "Also affected: tables/revenue.\n"
        "Details: sluice incidents show 12\n"
        "Owner: shop-data@example.com"
    )


def test_an_escalated_incident_says_what_was_tried() -> None:
    retry = RemedyTaken(RemedyKind.RETRY_LATER, NOON)
    (notice,) = notices(incident(12, retry, replace(retry, run_id="2"), escalation()))

    assert title_of(notice) == "orders 2026-11-20 needs a person: quality"
    assert "Done so far: retry later (2 times), escalate.\n" in body_of(notice)


def test_a_resolved_incident_says_by_whom_and_after_how_long() -> None:
    (notice,) = notices(resolved(incident(), NOON + 12 * MINUTE), now=NOON + HOUR)

    assert title_of(notice) == "orders 2026-11-20 is right again: quality"
    assert "Resolved by sluice after 12 min.\n" in body_of(notice)


def test_a_long_error_is_cut() -> None:
    (notice,) = notices(replace(incident(), evidence="x" * 10_000))

    assert len(body_of(notice)) < 800


@pytest.mark.parametrize(
    ("route", "events"),
    [
        pytest.param(OPS, [Event.RESOLVED], id="all of it is one notice"),
        pytest.param(replace(OPS, when=(Event.OPENED, Event.ESCALATED)), [Event.ESCALATED], id="without its end"),
        pytest.param(replace(OPS, when=(Event.OPENED,)), [Event.OPENED], id="only its beginning"),
        pytest.param(replace(OPS, severity=NoticeSeverity.CRITICAL), [Event.RESOLVED], id="also that it is over"),
    ],
)
def test_what_came_of_an_incident_meanwhile_is_one_notice(route: Route, events: list[Event]) -> None:
    whole = resolved(incident(12, escalation()), NOON)

    assert [event for _, event in events_of(*notices(whole, by=contract(route)))] == events


@pytest.mark.parametrize(
    ("what", "severity", "is_told"),
    [
        pytest.param(incident(), NoticeSeverity.INFO, True, id="warning to info"),
        pytest.param(incident(), NoticeSeverity.WARNING, True, id="warning to warning"),
        pytest.param(incident(), NoticeSeverity.CRITICAL, False, id="warning to critical"),
        pytest.param(incident(12, escalation()), NoticeSeverity.CRITICAL, True, id="escalated"),
        pytest.param(
            replace(incident(), failure_class=FailureClass.PERMISSION), NoticeSeverity.CRITICAL, True, id="permission"
        ),
        pytest.param(replace(incident(), failure_class=FailureClass.CODE), NoticeSeverity.CRITICAL, True, id="code"),
        pytest.param(
            replace(incident(), failure_class=FailureClass.UNKNOWN), NoticeSeverity.CRITICAL, True, id="unknown"
        ),
        pytest.param(
            replace(incident(), failure_class=FailureClass.TRANSIENT), NoticeSeverity.CRITICAL, False, id="transient"
        ),
    ],
)
def test_a_route_is_told_from_its_severity_on(what: Incident, severity: NoticeSeverity, *, is_told: bool) -> None:
    assert bool(notices(what, by=contract(replace(OPS, severity=severity)))) is is_told


def test_each_route_is_told_for_itself() -> None:
    found = notices(incident(), by=contract(OPS, Route("MAIL"), Route("PAGER", (Event.ESCALATED,))))

    assert events_of(*found) == [("OPS", "opened"), ("MAIL", "opened")]


def test_what_was_told_is_not_told_again_but_what_follows_is() -> None:
    (notice,) = notices(incident())
    told = Told().and_also(notice.news)

    assert notices(incident(), told=told) == ()
    assert events_of(*notices(incident(12, escalation()), told=told)) == [("OPS", "escalated")]


def test_a_dataset_without_routes_or_contract_tells_nobody() -> None:
    silent = Contract("orders", "1.0.0", ())

    assert notices(incident(), by=silent) == ()
    assert news_of_incidents({}, [incident()], Told(), NOON) == []


def test_five_hundred_that_fail_alike_are_one_notice_that_says_how_many() -> None:
    (notice,) = notices(*many(500))

    assert title_of(notice) == "orders: 500 partitions failed: quality"
    assert body_of(notice).startswith("2024-01-02, 2024-01-03, ")
    assert "2024-01-11 and 490 more\n\nFirst of them, 2024-01-02:\n12 % of 1,000" in body_of(notice)


def test_a_notice_is_of_one_class_and_one_event() -> None:
    others = [replace(incident(2), failure_class=FailureClass.COST), incident(3, escalation())]

    assert {title_of(notice) for notice in notices(incident(1), *others)} == {
        "orders 2026-11-20 failed: quality",
        "orders 2026-11-20 failed: cost",
        "orders 2026-11-20 needs a person: quality",
    }


def test_the_gravest_comes_first() -> None:
    found = notices(incident(1), incident(2, escalation()))

    assert [event for _, event in events_of(*found)] == ["escalated", "opened"]


def test_a_notice_has_a_bound() -> None:
    (notice,) = notices(*many(MOST_NEWS + 1))

    assert len(notice.news) == MOST_NEWS


def test_notices_of_one_kind_have_one_key_in_an_hour() -> None:
    (first,) = notices(incident(1))
    (second,) = notices(incident(2, partition="2026-11-19"))
    (other,) = notices(replace(incident(3), failure_class=FailureClass.COST))

    assert key_of(first, NOON) == "notices:OPS:orders:quality:opened:2026-11-21T12"
    assert key_of(first, NOON) == key_of(second, NOON + 59 * MINUTE)
    assert key_of(first, NOON) != key_of(second, NOON + HOUR)
    assert key_of(first, NOON) != key_of(other, NOON)


def test_every_event_of_an_incident_has_its_key() -> None:
    (notice,) = notices(incident(12, escalation()))

    assert notice.news[0].keys == ("notice:OPS:12:opened", "notice:OPS:12:escalated")


def test_quiet_hours_hold_back_what_is_not_critical() -> None:
    by = contract(quiet_hours=NIGHT)

    assert notices(incident(at=MIDNIGHT), by=by, now=MIDNIGHT + HOUR) == ()
    assert notices(resolved(incident(12, escalation()), MIDNIGHT), by=by, now=MIDNIGHT + HOUR) == ()


def test_what_needs_a_person_breaks_quiet_hours() -> None:
    found = notices(incident(12, escalation(MIDNIGHT), at=MIDNIGHT), by=contract(quiet_hours=NIGHT), now=MIDNIGHT)

    assert events_of(*found) == [("OPS", "escalated")]


def test_when_quiet_hours_end_there_is_one_summary() -> None:
    healed = resolved(incident(1, at=MIDNIGHT), MIDNIGHT + HOUR)
    still_open = replace(incident(2, at=MIDNIGHT), failure_class=FailureClass.COST)

    (notice,) = notices(healed, still_open, by=contract(quiet_hours=NIGHT), now=MORNING)

    assert title_of(notice) == "Quiet hours are over: 2 notices"
    assert "orders 2026-11-20 failed: cost\n12 % of" in body_of(notice)
    assert "\n\norders 2026-11-20 is right again: quality\n12 % of" in body_of(notice)
    assert key_of(notice, MORNING) == "notices:OPS:summary:2026-11-21T07"


def test_what_happens_after_quiet_hours_is_not_part_of_the_summary() -> None:
    late = replace(incident(2, at=MORNING), failure_class=FailureClass.COST)

    found = notices(incident(1, at=MIDNIGHT), late, by=contract(quiet_hours=NIGHT), now=MORNING + MINUTE)

    assert [notice.is_summary for notice in found] == [False, True]


def test_one_dataset_may_sleep_while_another_speaks() -> None:
    contracts = {"orders": contract(quiet_hours=NIGHT), "clicks": replace(contract(), dataset="clicks")}
    incidents = [incident(1, at=MIDNIGHT), replace(incident(2, at=MIDNIGHT), dataset="clicks")]

    found = notices_for(news_of_incidents(contracts, incidents, Told(), MIDNIGHT))

    assert [title_of(notice) for notice in found] == ["clicks 2026-11-20 failed: quality"]


def test_what_ended_days_ago_is_no_news_but_what_is_open_is() -> None:
    old = NOON - timedelta(days=30)
    ended = resolved(incident(1, at=old), NOON - timedelta(days=3))

    assert events_of(*notices(ended, incident(2, at=old))) == [("OPS", "opened")]


def test_publications_are_told_only_if_asked() -> None:
    found = news_of_publications(contract(success=True), [publication()], Told(), NOON + MINUTE)

    (notice,) = notices_for(found)
    assert title_of(notice) == "orders 2026-11-20 is published"
    assert body_of(notice) == (
        "990 of 1,000 records published, 10 quarantined, 2026-11-21 12:00 UTC.\nOwner: shop-data@example.com"
    )
    assert news_of_publications(contract(), [publication()], Told(), NOON + MINUTE) == []


def test_a_route_for_grave_news_is_not_told_of_publications() -> None:
    by = contract(replace(OPS, severity=NoticeSeverity.WARNING), success=True)

    assert news_of_publications(by, [publication()], Told(), NOON + MINUTE) == []


def test_a_publication_is_told_once_and_the_next_one_again() -> None:
    by, later = contract(success=True), publication("2026-11-21", NOON + MINUTE)
    told = Told().and_also(news_of_publications(by, [publication()], Told(), NOON + MINUTE))

    found = news_of_publications(by, [publication(), later], told, NOON + HOUR)

    assert [item.partition for item in found] == ["2026-11-21"]


def test_a_publication_that_is_stamped_a_moment_ago_waits_for_those_stamped_before_it() -> None:
    by = contract(success=True)

    assert news_of_publications(by, [publication()], Told(), NOON + timedelta(seconds=4)) == []
    assert len(news_of_publications(by, [publication()], Told(), NOON + timedelta(seconds=5))) == 1


def test_a_backfill_is_one_notice() -> None:
    published = [publication(item.partition) for item in many(300)]

    (notice,) = notices_for(news_of_publications(contract(success=True), published, Told(), NOON + MINUTE))

    assert title_of(notice) == "orders: 300 partitions are published"


def test_what_concerns_all_datasets_is_told_once_on_each_route() -> None:
    blind = replace(incident(), dataset=ARRIVALS, partition="queue")
    orders, payments = contract(), replace(contract(OPS, Route("PAYMENTS")), dataset="payments")

    news = news_of_incidents({"orders": orders, "payments": payments}, [blind], Told(), NOON)

    assert [(item.route, item.owner) for item in news] == [("OPS", None), ("PAYMENTS", None)]
