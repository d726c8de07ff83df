"""How dates and instants are written in the files: the options format, timezone and defaultTimezone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from sluice.contract_file.place import Problem
from sluice.contract_file.time_format import has_offset, has_time, strptime_format
from sluice.datatypes import Date, Timestamp
from sluice.errors import did_you_mean

if TYPE_CHECKING:
    from open_data_contract_standard.model import SchemaProperty

    from sluice.contract_file.place import Place

_ZONE_CURE = "Add defaultTimezone with the zone the source means, such as Etc/UTC or Europe/Berlin."


def read_date(declared: SchemaProperty, place: Place) -> Date:
    return Date(_format(declared, place, with_time=False))


def read_timestamp(declared: SchemaProperty, place: Place) -> Timestamp:
    options = declared.logicalTypeOptions or {}
    here = place["logicalTypeOptions"]
    written = _format(declared, place, with_time=True)
    zone = _zone(options.get("defaultTimezone"), here["defaultTimezone"])
    says_zone = written is not None and has_offset(written)
    if options.get("defaultTimezone") is None:
        if options.get("timezone") is False:
            here["timezone"].refuse("is false, so the zone is not known.", _ZONE_CURE)
        elif written is not None and not says_zone:
            here["format"].refuse(f'"{options["format"]}" names no zone.', _ZONE_CURE)
    if zone is not None and says_zone:
        here["defaultTimezone"].refuse("is never used: the format reads the zone from the value.", "Leave it out.")
    if not isinstance(options.get("timezone", True), bool):
        here["timezone"].refuse("must be true or false.", "Say whether the values carry a zone.")
    return Timestamp(zone, written)


def _format(declared: SchemaProperty, place: Place, *, with_time: bool) -> str | None:
    text = (declared.logicalTypeOptions or {}).get("format")
    if text is None:
        return None
    here = place["logicalTypeOptions"]["format"]
    if not isinstance(text, str):
        here.refuse("must be text.", "Write a format such as dd/MM/yyyy.")
        return None
    found = strptime_format(text)
    if isinstance(found, Problem):
        here.refuse(f'"{text}" {found.problem}.', found.cure)
        return None
    if has_time(found) and not with_time:
        here.refuse(f'"{text}" holds a time of day, which a date would lose.', "Use logicalType timestamp.")
        return None
    return found


def _zone(name: object, place: Place) -> str | None:
    if name is None:
        return None
    zones = available_timezones() - {"localtime"}  # this machine's zone, which means another thing elsewhere
    if name in zones:
        return str(name)
    place.refuse(f'is "{name}", which is no time zone.', _zone_cure(str(name), zones))
    return None


def _zone_cure(name: str, zones: set[str]) -> str:
    near = did_you_mean(name, zones)
    return near if near.startswith("Did") else "Use an IANA name such as Etc/UTC or Europe/Berlin."
