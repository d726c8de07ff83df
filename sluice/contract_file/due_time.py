"""The two service levels that fix a deadline: a time of day, and how long after its day a partition may come."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from sluice.errors import did_you_mean

if TYPE_CHECKING:
    from open_data_contract_standard.model import ServiceLevelAgreementProperty

    from sluice.contract_file.place import Place

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?", re.ASCII)
_TIME_CURE = 'Write it as "07:00" with the zone in valueExt, such as Asia/Kolkata, or as "07:00+05:30".'
_DAYS = ("d", "day", "days")
_HOURS = ("h", "hour", "hours")
_LONGEST = timedelta(days=366)


def read_time_of_day(item: ServiceLevelAgreementProperty, place: Place) -> tuple[time, str] | None:
    """Return the time and its zone: a name or an offset; UTC if none is written."""
    written = _TIME.fullmatch(str(item.value))
    if written is None:
        place["value"].refuse(f'is "{item.value}", which is no time of day.', _TIME_CURE)
        return None
    hour, minute, second, offset = written.groups()
    at = time(int(hour), int(minute), int(second or 0))
    if offset and item.valueExt is not None:
        place["valueExt"].refuse("names a zone, but the value has its offset already.", "Keep one of the two.")
        return None
    zone = ("UTC" if offset == "Z" else offset) if offset else _zone(item.valueExt, place["valueExt"])
    return None if zone is None else (at, zone)


def read_days(item: ServiceLevelAgreementProperty, place: Place) -> int | None:
    """Return the latency that goes with a time of day."""
    if item.unit not in _DAYS:
        cure = "With a timeOfAvailability write unit: d; in hours it can stand only alone."
        place["unit"].refuse(_unit_problem(item.unit), cure)
        return None
    days = _amount(item, place, timedelta(days=1))
    if days is None:
        return None
    if days % timedelta(days=1):
        place["value"].refuse("is not a whole number of days.", "Say the time of day in timeOfAvailability.")
        return None
    return days.days


def read_hours(item: ServiceLevelAgreementProperty, place: Place) -> timedelta | None:
    """Return the latency that stands alone; it counts from the end of the day, UTC."""
    if item.unit in _DAYS:
        cure = 'Add timeOfAvailability, such as "07:00", or write the hours after the end of the day with unit: h.'
        place.refuse("names a day, but no time on it.", cure)
        return None
    if item.unit not in _HOURS:
        place["unit"].refuse(_unit_problem(item.unit), "Write unit: h, or unit: d beside a timeOfAvailability.")
        return None
    return _amount(item, place, timedelta(hours=1))


def _unit_problem(unit: str | None) -> str:
    return "is missing." if unit is None else f'is "{unit}".'


def _amount(item: ServiceLevelAgreementProperty, place: Place, unit: timedelta) -> timedelta | None:
    if item.valueExt is not None:
        place["valueExt"].refuse("makes a range, which is no deadline.", "Leave it out; the value is the longest wait.")
        return None
    value = item.value
    longest = _LONGEST / unit
    if not isinstance(value, int | float) or not 0 <= value <= longest:
        place["value"].refuse(f'is "{value}".', f"Write a number from 0 to {longest:.0f}.")
        return None
    return value * unit


def _zone(name: object, place: Place) -> str | None:
    if name is None:
        return "UTC"
    zones = available_timezones() - {"localtime"}  # this machine's zone, which means another thing elsewhere
    if name in zones:
        return str(name)
    near = did_you_mean(str(name), zones)
    cure = near if near.startswith("Did") else "Use an IANA name such as Etc/UTC or Asia/Kolkata."
    place.refuse(f'is "{name}", which is no time zone.', cure)
    return None
