"""Tells people what went wrong, what needs them, and what is right again: few messages, each at most once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import dagster as dg

from sluice.healing.breakers import Breakers
from sluice.healing.breakers import Ledger as BreakersLedger
from sluice.notices.news import NEWS_FOR, is_news, news_of_incidents, news_of_publications
from sluice.notices.notice import about, body_of, key_of, notices_for, title_of
from sluice.notices.rules import variable_of
from sluice.notices.told import read_told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sluice.contract import Contract
    from sluice.healing.breaker import Breaker
    from sluice.healing.incident import Incident
    from sluice.history import Published
    from sluice.notices.delivery import Delivery
    from sluice.notices.news import News
    from sluice.notices.notice import Notice
    from sluice.notices.told import Told

    _Lost = tuple[Notice, Delivery]

SENSOR_NAME = "notices"


class Ledger(BreakersLedger, Protocol):
    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]: ...
    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]: ...
    def first_notice(self, key: str, noticed_at: datetime) -> bool: ...


class Notifier(Protocol):
    def send(self, route: str, title: str, body: str, about: Mapping[str, Sequence[str]]) -> Delivery: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_notices_sensor(contracts: Mapping[str, Contract], *, notices_per_tick: int = 4) -> dg.SensorDefinition:
    """Return the sensor. A receiver that does not answer costs seconds, and Dagster gives a tick one minute."""
    telling = {name: contract for name, contract in contracts.items() if contract.notify.routes}

    @dg.sensor(
        name=SENSOR_NAME,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells the people whom contracts name of incidents that opened, need a person, or are resolved.",
    )
    def notices(
        context: dg.SensorEvaluationContext,
        ledger: dg.ResourceParam[Ledger],
        notifier: dg.ResourceParam[Notifier],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult:
        if not telling:
            return dg.SensorResult(skip_reason=dg.SkipReason("No contract names a route (notify)."))
        now = clock.now()
        teller = _Teller(ledger, notifier, Breakers(contracts, ledger, now), now, notices_per_tick)
        told, sent, lost = teller.tell(telling, read_told(context.cursor))
        for notice, delivery in lost:
            context.log.warning(_lost_text(notice, delivery.problem))
        return dg.SensorResult(
            skip_reason=dg.SkipReason(f"Notices sent: {len(sent):,}; not delivered: {len(lost):,}."), cursor=told.text
        )

    return notices


@dataclass(frozen=True, slots=True)
class _Teller:
    """A notice is noted in the ledger before it is sent, so at most once.

    At least once would repeat a message for as long as its receiver takes it but does not say so, or a tick dies after
    sending: people switch off what repeats itself. A lost notice loses nothing: the incident is in the ledger.
    """

    ledger: Ledger
    notifier: Notifier
    breakers: Breakers
    now: datetime
    most: int

    def tell(self, contracts: Mapping[str, Contract], told: Told) -> tuple[Told, list[Notice], list[_Lost]]:
        """Return what is told by now, the notices that were sent, and those that were not delivered."""
        incidents = self.ledger.incidents()
        news = self._news(contracts, [item for item in incidents if not self._is_told(item)], told)
        sent: list[Notice] = []
        lost: list[_Lost] = []
        for notice in notices_for(news):
            if len(sent) + len(lost) == self.most:
                break
            if not self.ledger.first_notice(key_of(notice, self.now), self.now):
                continue  # one of this kind was sent within the hour; these wait for the next
            told = told.and_also(notice.news)
            if fresh := tuple(item for item in notice.news if self._is_first(item)):
                self._send(replace(notice, news=fresh), sent, lost)
        current = {incident.number for incident in incidents if is_news(incident, self.now)}
        return told.only(current, self.now - NEWS_FOR), sent, lost

    def _is_told(self, incident: Incident) -> bool:
        """Whether it is more of a trouble that opened a breaker before it; if it outlives the breaker, it is told."""
        if incident.resolved_at is not None or incident.dataset not in self.breakers.contracts:
            return False
        return any(_has_joined(incident, breaker) for breaker in self.breakers.holding(incident.dataset))

    def _news(self, contracts: Mapping[str, Contract], incidents: Sequence[Incident], told: Told) -> list[News]:
        news = news_of_incidents(contracts, incidents, told, self.now)
        for contract in contracts.values():
            if contract.notify.success:
                news += news_of_publications(contract, self.ledger.all_published(contract.dataset), told, self.now)
        return news

    def _is_first(self, news: News) -> bool:
        """Note every event of it; whether it is new depends on the one that it is told for."""
        *earlier, last = news.keys
        for key in earlier:
            self.ledger.first_notice(key, self.now)
        return self.ledger.first_notice(last, self.now)

    def _send(self, notice: Notice, sent: list[Notice], lost: list[_Lost]) -> None:
        delivery = self.notifier.send(notice.route, title_of(notice), body_of(notice), about(notice))
        if delivery:
            sent.append(notice)
        else:
            lost.append((notice, delivery))


def _has_joined(incident: Incident, breaker: Breaker) -> bool:
    if breaker.opened_at is None or incident.detected_at <= breaker.opened_at:
        return False
    place = (incident.dataset, incident.partition, incident.failure_class)
    return any((item.dataset, item.partition, item.failure_class) == place for item in breaker.failed)


def _lost_text(notice: Notice, problem: str) -> str:
    why = f" {problem}" if problem else ""
    return (
        f'Route {notice.route} did not deliver "{title_of(notice)}", and it is not sent again.{why} '
        f"Check {variable_of(notice.route)} and its receiver; the incidents are in: sluice incidents"
    )
