"""The contract's `slaProperties`: when a partition must be published."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sluice.contract_file.due_time import read_days, read_hours, read_time_of_day
from sluice.errors import did_you_mean
from sluice.freshness import Freshness, deadline_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from open_data_contract_standard.model import ServiceLevelAgreementProperty

    from sluice.contract_file.place import Place

    Entries = Mapping[str, tuple[ServiceLevelAgreementProperty, Place]]

_READ = ("timeOfAvailability", "latency", "frequency")
_NEAR_BUT_OTHER = ("availability", "generalAvailability")  # words of the standard that only describe
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SETTINGS = ("objective", "since", "weekdays")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%")


def read_freshness(
    declared: Sequence[ServiceLevelAgreementProperty], place: Place, value: object, settings_place: Place
) -> Freshness | None:
    """Return what the service levels ask; `value` is the setting `freshness`, None without one."""
    found = len(place.problems)
    entries = _entries(declared, place)
    _check_frequency(entries)
    promise = _promise(entries)
    with_settings = _with_settings(promise or Freshness(1, time()), value, settings_place)
    if promise is None:
        if value is not None and len(place.problems) == found:
            cure = 'Add slaProperties: [{property: timeOfAvailability, value: "07:00"}], or leave this out.'
            settings_place.refuse("is about a promise that the contract does not make.", cure)
        return None
    return with_settings


def _entries(declared: Sequence[ServiceLevelAgreementProperty], place: Place) -> Entries:
    """Return the entries that Sluice reads; others only describe, and are refused only if nearly one of these."""
    entries: dict[str, tuple[ServiceLevelAgreementProperty, Place]] = {}
    for index, item in enumerate(declared):
        name, here = item.property or "", place[index]
        if name in entries:
            here.refuse(f"gives {name} twice.", "Keep the one that the dataset is to be held to.")
        elif name in _READ:
            entries[name] = (item, here)
        elif name not in _NEAR_BUT_OTHER:
            _refuse_near(name, here["property"])
    return entries


def _refuse_near(name: str, place: Place) -> None:
    known = {word.lower(): word for word in _READ}
    near = did_you_mean(name.lower(), known)
    if near.startswith("Did"):
        meant = known[near.split('"')[1]]
        place.refuse(f'is "{name}", so it would promise nothing.', f'Did you mean "{meant}"?')


def _check_frequency(entries: Entries) -> None:
    if "frequency" not in entries:
        return
    item, place = entries["frequency"]
    is_daily = item.value == 1 and item.unit in {None, "d", "day", "days"}
    if not is_daily or item.valueExt is not None:
        place.refuse("is not daily, but a partition is one day.", "Write value: 1 and unit: d, or leave it out.")


def _promise(entries: Entries) -> Freshness | None:
    """With a time of day, latency counts days from D; alone, it counts hours from the end of D."""
    if "timeOfAvailability" in entries:
        return _at_time_of_day(entries)
    after = read_hours(*entries["latency"]) if "latency" in entries else None
    if after is None:
        return None
    days, rest = divmod(after, timedelta(days=1))
    return Freshness(1 + days, time(rest.seconds // 3600, rest.seconds // 60 % 60, rest.seconds % 60))


def _at_time_of_day(entries: Entries) -> Freshness | None:
    item, place = entries["timeOfAvailability"]
    due = read_time_of_day(item, place)
    days = read_days(*entries["latency"]) if "latency" in entries else 1
    if due is None or days is None:
        return None
    promise = Freshness(days, *due)
    if any(deadline_of(promise, day) <= datetime.fromisoformat(f"{day}T00Z") for day in ("2026-01-01", "2026-07-01")):
        place["value"].refuse(
            f"{promise.text} is before D has begun, for days are UTC.", "Write a latency of at least 1 d."
        )
        return None
    return promise


def _with_settings(promise: Freshness, value: object, place: Place) -> Freshness:
    if value is None:
        return promise
    if not isinstance(value, dict):
        place.refuse("must hold settings.", f"Known: {', '.join(_SETTINGS)}.")
        return promise
    for name in value:
        if name not in _SETTINGS:
            place[name].refuse("is not a field here.", did_you_mean(name, _SETTINGS))
    return replace(
        promise,
        objective=_objective(value["objective"], place["objective"]) if "objective" in value else promise.objective,
        weekdays=_weekdays(value["weekdays"], place["weekdays"]) if "weekdays" in value else promise.weekdays,
        since=_since(value["since"], place["since"]) if "since" in value else promise.since,
    )


def _objective(value: object, place: Place) -> float:
    percent = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    share = Decimal(percent[1]) / 100 if percent else value
    if isinstance(share, int | Decimal) and not isinstance(share, bool) and 0 < share <= 1:
        return float(share)
    place.refuse(f'is "{value}".', 'Write a share above 0 and up to 1, such as 0.99, or "99 %".')
    return 1.0


def _weekdays(value: object, place: Place) -> tuple[int, ...]:
    if not isinstance(value, list) or not value:
        place.refuse("must be a list of weekdays.", f"Known: {', '.join(_WEEKDAYS)}.")
        return ()
    for index, name in enumerate(value):
        if name not in _WEEKDAYS:
            place[index].refuse(f'is "{name}", which is no weekday.', did_you_mean(str(name), _WEEKDAYS))
        elif name in value[:index]:
            place[index].refuse(f"names {name} twice.", "Remove one of them.")
    return tuple(number for number, name in enumerate(_WEEKDAYS) if name in value)


def _since(value: object, place: Place) -> date | None:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        cure = "Write the first partition that is promised, such as 2026-11-01."
        place.refuse(f'is "{value}", which is no date.', cure)
        return None
