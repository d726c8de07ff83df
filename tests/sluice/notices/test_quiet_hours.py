"""Quiet hours by the wall clock of their zone, also in nights when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from sluice.notices.quiet_hours import quiet_until
from sluice.notices.rules import QuietHours

NIGHT = QuietHours(time(22), time(7), "Europe/Berlin")  # UTC+1 in winter
NOON = QuietHours(time(12), time(13, 30), "Etc/UTC")
SMALL_HOURS = QuietHours(time(2, 30), time(5), "Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "instant", "until"),
    [
        pytest.param(NIGHT, "2026-11-20T20:59:59", None, id="before"),
        pytest.param(NIGHT, "2026-11-20T21:00", "2026-11-21T06:00", id="first instant"),
        pytest.param(NIGHT, "2026-11-20T23:30", "2026-11-21T06:00", id="after midnight there"),
        pytest.param(NIGHT, "2026-11-21T05:59:59", "2026-11-21T06:00", id="last second"),
        pytest.param(NIGHT, "2026-11-21T06:00", None, id="end"),
        pytest.param(NIGHT, "2026-07-01T20:00", "2026-07-02T05:00", id="summer"),
        pytest.param(NOON, "2026-11-20T12:00", "2026-11-20T13:30", id="within a day"),
        pytest.param(NOON, "2026-11-20T13:30", None, id="within a day, after"),
        pytest.param(NOON, "2026-11-20T11:59", None, id="within a day, before"),
        pytest.param(NIGHT, "2026-03-28T22:00", "2026-03-29T05:00", id="clock put forward in the night"),
        pytest.param(NIGHT, "2026-10-24T21:00", "2026-10-25T06:00", id="clock put back in the night"),
        pytest.param(SMALL_HOURS, "2026-10-25T01:10", "2026-10-25T04:00", id="an hour that repeats is quiet twice"),
        pytest.param(SMALL_HOURS, "2026-10-25T00:10", None, id="before the hour that repeats"),
        pytest.param(None, "2026-11-20T23:00", None, id="no quiet hours"),
    ],
)
def test_quiet_hours_end_at_one_instant(quiet: QuietHours | None, instant: str, until: str | None) -> None:
    assert quiet_until(quiet, at(instant)) == (at(until) if until else None)


def test_an_instant_in_the_zone_itself_is_not_read_off_the_wall_clock() -> None:
    second_ten_past_two = at("2026-10-25T01:10").astimezone(ZoneInfo("Europe/Berlin"))

    assert quiet_until(SMALL_HOURS, second_ten_past_two) == at("2026-10-25T04:00")
