"""How long to wait before the next try: exponential, capped, with full jitter, and never less than was asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.healing.policy import Retries

_MOST_DOUBLINGS = 32  # far above every cap, and far below what a timedelta can hold
_LONGEST_SECONDS = 366 * 24 * 3600


def backoff(retries: Retries, retried: int, jitter: float, retry_after: timedelta | None = None) -> timedelta:
    """Return the wait before retry number `retried` + 1.

    `jitter` from 0 to 1 chooses from the whole of the wait (full jitter: Brooker, "Exponential Backoff And Jitter",
    2015): what failed at once does not come back at once. It is added to what the other side asked for, because many
    may have been told the same moment.
    """
    if not 0 <= jitter <= 1:
        raise ValueError(f"jitter is {jitter}, not from 0 to 1")
    widest = min(retries.cap, retries.first * (1 << min(retried, _MOST_DOUBLINGS)))
    return (retry_after or timedelta()) + widest * jitter


def asked_wait(headers: Mapping[str, str]) -> timedelta | None:
    """Return what a Retry-After header asks for, in either of its forms (RFC 9110, 10.2.3); None if it says nothing.

    A moment is taken relative to the answer's own Date header, so that no two clocks are compared.
    """
    found = {name.lower(): value.strip() for name, value in headers.items()}
    written = found.get("retry-after", "")
    if written.isascii() and written.isdigit():
        return timedelta(seconds=min(int(written[:12]), _LONGEST_SECONDS))
    until, sent = _moment(written), _moment(found.get("date", ""))
    return None if until is None or sent is None else max(until - sent, timedelta())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
