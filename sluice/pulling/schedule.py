"""When which day is pulled: decided from moments alone, so that a night without power loses nothing."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sluice.healing.failure import FailureClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.history import Attempt
    from sluice.pulling.pull import Pull

ASK_AGAIN = timedelta(hours=1)
"""How long after "there is nothing yet" a day is asked for again, unless `every` is shorter."""

_DAY = timedelta(days=1)
_MARK = "0" * 8  # no manifest's fingerprint begins like this, but for one in four billion


def window(pull: Pull, start: date, now: datetime) -> tuple[str, ...]:
    """Return the partitions that are pulled by themselves, oldest first; others when somebody asks for them."""
    today = now.date()
    latest = today if pull.every else today - _DAY
    days = (today - back * _DAY for back in range(pull.days, -1, -1))
    return tuple(day.isoformat() for day in days if start <= day <= latest)


def moment_of(pull: Pull, partition: str, now: datetime) -> datetime | None:
    """Return the latest moment, up to now, from which on this day was to be pulled."""
    midnight = datetime.combine(date.fromisoformat(partition), time(), UTC)
    at = timedelta(hours=pull.at.hour, minutes=pull.at.minute, seconds=pull.at.second)
    moments = [midnight + number * _DAY + at for number in range(1, pull.days + 1)]
    if pull.every and midnight + pull.every <= now:
        moments.append(midnight + (min(now - midnight, _DAY) // pull.every) * pull.every)
    return max((moment for moment in moments if moment <= now), default=None)


def due(
    pull: Pull, partition: str, now: datetime, pulled_at: datetime | None, tries: Sequence[Attempt]
) -> datetime | None:
    """Return the moment for which a day is to be asked for now.

    `tries` are those for that moment. One that failed is left to the retries, except when there was nothing yet.
    """
    moment = moment_of(pull, partition, now)
    if moment is None or (pulled_at is not None and pulled_at >= moment):
        return None
    if not tries:
        return moment
    last = tries[-1]
    again = min(pull.every or ASK_AGAIN, ASK_AGAIN)
    was_missing = last.failure_class is FailureClass.UPSTREAM_MISSING
    return moment if was_missing and last.ended_at is not None and last.ended_at + again <= now else None


def pull_fingerprint(pull: Pull, moment: datetime) -> str:
    """Name a pull as a version's fingerprint; tries are counted for each moment and each way of asking."""
    return _MARK + hashlib.sha256(repr((pull, moment)).encode()).hexdigest()[:8]


def is_pull(fingerprint: str) -> bool:
    return fingerprint.startswith(_MARK)
