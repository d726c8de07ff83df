"""One message to one route: news of the same kind together, however many partitions they are about."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.notices.rules import Event
from sluice.notices.wording import listed
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sluice.notices.news import News

MOST_NEWS = 1000
"""In one notice; the ledger notes each of them, and a sensor has a minute. The rest comes an hour later."""

_TITLES = {
    Event.OPENED: "{what} failed: {topic}",
    Event.ESCALATED: "{what} {needs} a person: {topic}",
    Event.RESOLVED: "{what} {are} right again: {topic}",
    Event.SUCCESS: "{what} {are} published",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """`news` is of one dataset, topic and event, or it is the summary of all that quiet hours held back."""

    route: str
    news: tuple[News, ...]
    is_summary: bool = False


def notices_for(news: Iterable[News]) -> tuple[Notice, ...]:
    """Return the notices, the gravest first."""
    groups: defaultdict[tuple[str, ...], list[News]] = defaultdict(list)
    for item in news:
        groups[(item.route, item.dataset, item.topic, item.event)].append(item)
    held: defaultdict[str, list[News]] = defaultdict(list)
    notices: list[Notice] = []
    for group in groups.values():
        route = group[0].route
        if any(item.was_held for item in group):
            held[route] += group
        else:
            notices.append(_notice(route, group))
    notices += [_notice(route, items, is_summary=True) for route, items in held.items()]
    return tuple(sorted(notices, key=lambda notice: -max(item.severity.rank for item in notice.news)))


def key_of(notice: Notice, now: datetime) -> str:
    """Return what makes another notice of its kind wait: there is one of each in an hour (UTC)."""
    first = notice.news[0]
    kind = "summary" if notice.is_summary else f"{first.dataset}:{first.topic}:{first.event}"
    return f"notices:{notice.route}:{kind}:{now:%Y-%m-%dT%H}"


def title_of(notice: Notice) -> str:
    if notice.is_summary:
        return f"Quiet hours are over: {counted(len(_groups(notice.news)), 'notice')}"
    return _title(notice.news)


def body_of(notice: Notice) -> str:
    if not notice.is_summary:
        return _body(notice.news)
    return "\n\n".join(f"{_title(group)}\n{_body(group)}" for group in _groups(notice.news))


def about(notice: Notice) -> Mapping[str, Sequence[str]]:
    """Return by what a receiver may choose: all datasets, events and incidents of it, and the gravest severity."""
    gravest = max((item.severity for item in notice.news), key=lambda severity: severity.rank)
    incidents = [str(item.number) for item in notice.news if item.number]
    return {
        "severity": (gravest.value,),
        "event": tuple(dict.fromkeys(item.event.value for item in notice.news)),
        "dataset": tuple(dict.fromkeys(item.dataset for item in notice.news)),
        "incident": tuple(dict.fromkeys(incidents)),
    }


def _notice(route: str, group: Iterable[News], *, is_summary: bool = False) -> Notice:
    oldest_first = sorted(group, key=lambda item: (item.at, item.dataset, item.partition))
    return Notice(route, tuple(oldest_first[:MOST_NEWS]), is_summary)


def _groups(news: Iterable[News]) -> list[list[News]]:
    groups: defaultdict[tuple[str, ...], list[News]] = defaultdict(list)
    for item in news:
        groups[(item.dataset, item.topic, item.event)].append(item)
    return list(groups.values())


def _title(group: Sequence[News]) -> str:
    first, partitions = group[0], _partitions(group)
    one = len(partitions) == 1
    what = f"{first.dataset} {partitions[0]}" if one else f"{first.dataset}: {len(partitions):,} partitions"
    return _TITLES[first.event].format(
        what=what, topic=first.topic.replace("_", " "), are="is" if one else "are", needs="needs" if one else "need"
    )


def _body(group: Sequence[News]) -> str:
    first, partitions = group[0], _partitions(group)
    text = first.text if len(group) == 1 else f"{listed(partitions)}\n\nFirst of them, {first.partition}:\n{first.text}"
    return f"{text}\nOwner: {first.owner}" if first.owner else text


def _partitions(group: Iterable[News]) -> list[str]:
    return sorted({item.partition for item in group})
