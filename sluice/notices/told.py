"""What was told already. It is kept in a sensor's cursor, so it stays small however many incidents there are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sluice.notices.news import News
    from sluice.notices.rules import Event


@dataclass(frozen=True, slots=True)
class Told:
    """`incidents` holds numbers by "route:event", `published` by "route:dataset" up to when publications were told."""

    incidents: Mapping[str, frozenset[int]] = field(default_factory=dict)
    published: Mapping[str, datetime] = field(default_factory=dict)

    def knows(self, route: str, number: int, event: Event) -> bool:
        return number in self.incidents.get(f"{route}:{event}", ())

    def published_until(self, route: str, dataset: str) -> datetime | None:
        return self.published.get(f"{route}:{dataset}")

    def and_also(self, news: Iterable[News]) -> Told:
        incidents, published = dict(self.incidents), dict(self.published)
        for item in news:
            if item.number is None:
                place = f"{item.route}:{item.dataset}"
                published[place] = max(item.at, published.get(place, item.at))
                continue
            for event in item.events:
                place = f"{item.route}:{event}"
                incidents[place] = incidents.get(place, frozenset()) | {item.number}
        return Told(incidents, published)

    def only(self, numbers: Collection[int], since: datetime) -> Told:
        """Forget the incidents and publications that are no news any more."""
        kept = {place: known.intersection(numbers) for place, known in self.incidents.items()}
        return replace(
            self,
            incidents={place: known for place, known in kept.items() if known},
            published={place: at for place, at in self.published.items() if at >= since},
        )

    @property
    def text(self) -> str:
        incidents = {place: _ranges_text(known) for place, known in sorted(self.incidents.items())}
        published = {place: at.isoformat() for place, at in sorted(self.published.items())}
        return json.dumps({"incidents": incidents, "published": published})


def read_told(text: str | None) -> Told:
    """Read what `Told.text` wrote; anything else is as if nothing was told, and then the ledger knows what was."""
    try:
        fields: Any = json.loads(text or "{}")  # Any: checked by use
        incidents = {str(place): _read_ranges(known) for place, known in fields.get("incidents", {}).items()}
        published = {str(place): _read_instant(at) for place, at in fields.get("published", {}).items()}
        return Told(incidents, published)
    except (ValueError, TypeError, AttributeError):
        return Told()


def _ranges_text(numbers: Iterable[int]) -> str:
    """`1-500,507`: what breaks together has numbers in a row."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _read_ranges(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _read_instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(text)
    return instant
