"""What will have been spent when the month ends."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from sluice.cost.limits import amount
from sluice.cost.money import usd_text
from sluice.cost.quantile import interpolated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.cost.budget import Spend

_WINDOW_DAYS = 28  # whole weeks, so that weekends count as often as they come
_USUAL = 0.9  # a day dearer than nine in ten, such as one with a backfill, counts as the ninth
_FEWEST_DAYS = 7  # fewer say more about how a dataset was filled at first than about how it goes on
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Forecast:
    usd: float
    method: str


def forecast(spends: Sequence[Spend], so_far_usd: float, month: str, now: datetime) -> Forecast:
    """Return what is spent or reserved plus a usual day for each day left; `spends` are the dataset's of all months.

    The usual day is taken from the last 28 days, also those of the month before: the first days of a month say little.
    In the first week of a dataset it is one partition a day at the median cost, for it may begin with years of history.
    """
    left = (_end_of(month) - max(now, _start_of(month))) / _DAY
    if left <= 0:
        return Forecast(so_far_usd, "the month is over")
    days = _daily(spends, now)
    if not days:
        return Forecast(so_far_usd, "no day has been spent on yet")
    if len(days) < _FEWEST_DAYS:
        usual = median(_partitions(spends))
        method = f"so far, and for {left:.1f} days one partition a day at the usual {usd_text(usual)} USD"
        return Forecast(so_far_usd + usual * left, method)
    highest = interpolated(days, _USUAL)
    usual = sum(min(day, highest) for day in days) / len(days)
    return Forecast(
        so_far_usd + usual * left, f"so far, and for {left:.1f} days the usual of the last {len(days)} days"
    )


def _partitions(spends: Sequence[Spend]) -> list[float]:
    totals: defaultdict[str, float] = defaultdict(float)
    for item in spends:
        totals[item.request.partition] += amount(item)
    return list(totals.values())


def _daily(spends: Sequence[Spend], now: datetime) -> list[float]:
    """Return the dollars of each of the last days, today among them, from the first that was spent on."""
    by_day: dict[date, float] = {}
    today = now.astimezone(UTC).date()
    for item in spends:
        day = item.reserved_at.astimezone(UTC).date()
        if today - _WINDOW_DAYS * _DAY < day <= today:
            by_day[day] = by_day.get(day, 0.0) + amount(item)
    if not by_day:
        return []
    first = min(by_day)
    return [by_day.get(first + number * _DAY, 0.0) for number in range((today - first).days + 1)]


def _start_of(month: str) -> datetime:
    return datetime.fromisoformat(f"{month}-01T00:00:00+00:00")


def _end_of(month: str) -> datetime:
    return (_start_of(month) + 31 * _DAY).replace(day=1)
