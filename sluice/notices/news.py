"""What happened to one partition and is still to be told on one route."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sluice.healing.failure import FailureClass
from sluice.healing.incident import ARRIVALS, RemedyKind
from sluice.history import RECORDED_WITHIN
from sluice.notices.quiet_hours import quiet_until
from sluice.notices.rules import Event, NoticeSeverity
from sluice.notices.wording import incident_text, published_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sluice.contract import Contract
    from sluice.healing.incident import Incident
    from sluice.history import Published
    from sluice.notices.rules import NotifyRules, Route
    from sluice.notices.told import Told

NEWS_FOR = timedelta(days=2)
"""What ended longer ago is no news: a contract that names its first route does not set off years of messages."""

_NEEDS_A_PERSON = frozenset({FailureClass.PERMISSION, FailureClass.CODE, FailureClass.UNKNOWN})
_PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class News:
    """`events` are what of it was not told yet; the last one is what it has come to, and `at` is when.

    `topic` is the failure's class, or "published"; `number` the incident's. `text` tells it all. `was_held` says that
    it happened in quiet hours, which are over.
    """

    route: str
    events: tuple[Event, ...]
    at: datetime
    severity: NoticeSeverity
    dataset: str
    partition: str
    topic: str
    text: str
    owner: str | None = None
    number: int | None = None
    was_held: bool = False

    @property
    def event(self) -> Event:
        return self.events[-1]

    @property
    def keys(self) -> tuple[str, ...]:
        """By these the ledger remembers what was told, also when a cursor is lost."""
        subject = self.number or f"{self.dataset}:{self.partition}:{self.at.isoformat()}"
        return tuple(f"notice:{self.route}:{subject}:{event}" for event in self.events)


def news_of_incidents(
    contracts: Mapping[str, Contract], incidents: Iterable[Incident], told: Told, now: datetime
) -> list[News]:
    """Return what is to be told now; what falls into quiet hours is left out until they end."""
    found: list[News] = []
    for incident in incidents:
        for contract, routes in _concerned(contracts, incident) if is_news(incident, now) else ():
            told_now = (_of_incident(contract, incident, route, told) for route in routes)
            found += _spoken((item for item in told_now if item is not None), contract.notify, now)
    return found


def _concerned(contracts: Mapping[str, Contract], incident: Incident) -> Iterator[tuple[Contract, Sequence[Route]]]:
    """Return whom the incident concerns; one about no dataset in particular is told once on each route there is."""
    if incident.dataset != ARRIVALS:
        if (contract := contracts.get(incident.dataset)) is not None:
            yield contract, contract.notify.routes
        return
    told: set[str] = set()
    for contract in contracts.values():
        yield contract, [route for route in contract.notify.routes if route.to not in told]
        told |= {route.to for route in contract.notify.routes}


def news_of_publications(contract: Contract, published: Iterable[Published], told: Told, now: datetime) -> list[News]:
    """Return the publications that are to be told now, if the contract asks for them."""
    rules = contract.notify
    # What is told is remembered by its latest stamp, so that nothing with an earlier one may come after it.
    recent = [item for item in published if now - NEWS_FOR <= item.published_at <= now - RECORDED_WITHIN]
    return [
        news
        for route in rules.routes
        if rules.success and route.severity is NoticeSeverity.INFO
        for news in _spoken(_of_publications(contract, recent, route, told), rules, now)
    ]


def is_news(incident: Incident, now: datetime) -> bool:
    return incident.resolved_at is None or incident.resolved_at >= now - NEWS_FOR


def _of_incident(contract: Contract, incident: Incident, route: Route, told: Told) -> News | None:
    happened, severity = _happened(incident), _severity(incident)
    asked = tuple(
        event for event in happened if event in route.when and not told.knows(route.to, incident.number, event)
    )
    if not asked or severity.rank < route.severity.rank:
        return None
    return News(
        route.to,
        asked,
        happened[asked[-1]],
        severity,
        incident.dataset,
        incident.partition,
        incident.failure_class,
        incident_text(incident),
        contract.owner if incident.dataset == contract.dataset else None,
        incident.number,
    )


def _of_publications(contract: Contract, recent: Iterable[Published], route: Route, told: Told) -> Iterator[News]:
    until = told.published_until(route.to, contract.dataset)
    for item in recent:
        if item.outcome.stand_in is None and (until is None or item.published_at > until):
            yield News(
                route.to,
                (Event.SUCCESS,),
                item.published_at,
                NoticeSeverity.INFO,
                contract.dataset,
                item.outcome.partition,
                _PUBLISHED,
                published_text(item),
                contract.owner,
            )


def _happened(incident: Incident) -> dict[Event, datetime]:
    """Return what happened so far, in order."""
    escalations = [remedy.taken_at for remedy in incident.remedies if remedy.kind is RemedyKind.ESCALATE]
    times = {
        Event.OPENED: incident.detected_at,
        Event.ESCALATED: min(escalations, default=None),
        Event.RESOLVED: incident.resolved_at,
    }
    return {event: at for event, at in times.items() if at is not None}


def _severity(incident: Incident) -> NoticeSeverity:
    """It stays with the incident, so whoever was told that it is critical is also told that it is over."""
    escalated = any(remedy.kind is RemedyKind.ESCALATE for remedy in incident.remedies)
    grave = escalated or incident.failure_class in _NEEDS_A_PERSON
    return NoticeSeverity.CRITICAL if grave else NoticeSeverity.WARNING


def _spoken(news: Iterable[News], rules: NotifyRules, now: datetime) -> list[News]:
    """Return what may be told now, each with whether quiet hours held it back until now."""
    is_quiet = quiet_until(rules.quiet_hours, now) is not None
    return [_with_hold(item, rules) for item in news if not is_quiet or _is_urgent(item)]


def _with_hold(news: News, rules: NotifyRules) -> News:
    held = not _is_urgent(news) and quiet_until(rules.quiet_hours, news.at) is not None
    return replace(news, was_held=held)


def _is_urgent(news: News) -> bool:
    return news.severity is NoticeSeverity.CRITICAL and news.event is not Event.RESOLVED
