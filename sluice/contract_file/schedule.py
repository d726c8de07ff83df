"""The contract's `schedule`: when the dataset is built by the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from sluice.contract_file.cost import fields_of
from sluice.contract_file.cron import read_cron
from sluice.contract_file.place import Problem
from sluice.scheduling import Schedule

if TYPE_CHECKING:
    from sluice.contract_file.place import Place

_FIELDS = ("cron", "zone", "days_back")
_MOST_DAYS = 366


def read_schedule(value: object, place: Place) -> Schedule | None:
    """Return the schedule; None when none is written, or after refusing."""
    if value is None:
        return None
    found = len(place.problems)
    fields = fields_of(value, place, _FIELDS)
    cron = _cron(fields.get("cron"), place["cron"])
    schedule = Schedule(
        cron, _zone(fields.get("zone", "UTC"), place["zone"]), _days(fields.get("days_back", 1), place["days_back"])
    )
    return None if len(place.problems) > found else schedule


def _cron(value: object, place: Place) -> str:
    if not isinstance(value, str):
        place.refuse("is missing.", 'Write when, such as "15 2 * * *" or "cron(15 2 * * ? *)".')
        return ""
    found = read_cron(value)
    if isinstance(found, Problem):
        place.refuse(f'"{value}" {found.problem}.', found.cure)
        return ""
    return found


def _zone(value: object, place: Place) -> str:
    if isinstance(value, str) and value in available_timezones() - {"localtime"}:
        return value
    place.refuse(f'is "{value}", which is no time zone.', "Use an IANA name such as UTC or Europe/Berlin.")
    return "UTC"


def _days(value: object, place: Place) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_DAYS:
        return value
    place.refuse(f'is "{value}".', f"Write a whole number from 0 to {_MOST_DAYS}; 1 is the day before.")
    return 1
