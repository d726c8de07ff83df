"""The contract's `notify`: who is told of what went wrong, and when nobody is."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import available_timezones

from sluice.contract_file.cost import fields_of
from sluice.errors import did_you_mean
from sluice.notices.rules import VARIABLE_PREFIX, Event, NoticeSeverity, NotifyRules, QuietHours, Route

if TYPE_CHECKING:
    from enum import StrEnum

    from sluice.contract_file.place import Place

    AnyChoice = TypeVar("AnyChoice", bound=StrEnum)

_FIELDS = ("routes", "quiet_hours", "success")
_ROUTE_FIELDS = ("to", "when", "severity")
_QUIET_FIELDS = ("from", "until", "zone")
_EVENTS = tuple(event for event in Event if event is not Event.SUCCESS)
_USUAL = Route("")
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,39}", re.ASCII)
_NAME_CURE = f"Name a route such as SLACK_SHOP; the environment variable {VARIABLE_PREFIX}SLACK_SHOP holds its URL."
_ROUTES_CURE = "Write routes: [{to: SLACK_SHOP}], or leave notify out."
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)


def read_notify(value: object, place: Place) -> NotifyRules:
    """Return the rules; `value` is what is written, None when nothing is. No message repeats a secret."""
    if _refuse_secrets(value, place):
        return NotifyRules()
    found = len(place.problems)
    rules = fields_of(value, place, _FIELDS)
    routes = _routes(rules.get("routes"), place["routes"])
    success = rules.get("success", False)
    if not isinstance(success, bool):
        place["success"].refuse("must be true or false.", "Say whether publications are told, too.")
    if value is not None and not routes and len(place.problems) == found:
        place.refuse("names no route, so nobody would be told.", _ROUTES_CURE)
    return NotifyRules(routes, _quiet_hours(rules.get("quiet_hours"), place["quiet_hours"]), success is True)


def _refuse_secrets(value: object, place: Place) -> bool:
    """Refuse every URL, also one among the names, at a place that does not show it."""
    if isinstance(value, dict):
        if any(_is_url(name) for name in value):
            _refuse_url(place)
            return True
        refused = [_refuse_secrets(item, place[name]) for name, item in value.items()]
        return any(refused)
    if isinstance(value, list):
        refused = [_refuse_secrets(item, place[index]) for index, item in enumerate(value)]
        return any(refused)
    if _is_url(value):
        _refuse_url(place)
        return True
    return False


def _is_url(value: object) -> bool:
    return isinstance(value, str) and ":/" in value


def _refuse_url(place: Place) -> None:
    place.refuse(
        "holds a URL, which is a secret and does not belong into a contract.",
        f"Replace it by a name such as SLACK_SHOP, put the URL into the environment variable {VARIABLE_PREFIX}"
        "SLACK_SHOP, and have the receiver issue a new one, for this one was written down.",
    )


def _routes(value: object, place: Place) -> tuple[Route, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        place.refuse("must be a list of routes.", _ROUTES_CURE)
        return ()
    routes = [route for index, item in enumerate(value) if (route := _route(item, place[index])) is not None]
    names = [route.to for route in routes]
    for index, name in enumerate(names):
        if name in names[:index]:
            place.refuse(f"names {name} twice.", "Make one route of the two.")
    return tuple(routes)


def _route(value: object, place: Place) -> Route | None:
    if not isinstance(value, dict):
        place.refuse("must hold fields of its own.", "Write {to: SLACK_SHOP}.")
        return None
    fields = fields_of(value, place, _ROUTE_FIELDS)
    name = fields.get("to")
    if not isinstance(name, str) or not _NAME.fullmatch(name):  # it might be a secret, so it is not repeated
        problem = "is missing." if name is None else "is no name: capital letters, digits and _, at most 40."
        place["to"].refuse(problem, _NAME_CURE)
        return None
    when = _when(fields.get("when"), place["when"])
    severity = fields.get("severity", _USUAL.severity)
    return Route(name, when, _choice(severity, place["severity"], tuple(NoticeSeverity)) or _USUAL.severity)


def _when(value: object, place: Place) -> tuple[Event, ...]:
    if value is None:
        return _USUAL.when
    if not isinstance(value, list) or not value:
        place.refuse("must be a list of events.", f"Known: {', '.join(_EVENTS)}.")
        return _USUAL.when
    chosen = [_choice(item, place[index], _EVENTS) for index, item in enumerate(value)]
    return tuple(event for event in _EVENTS if event in chosen)


def _choice(value: object, place: Place, known: tuple[AnyChoice, ...]) -> AnyChoice | None:
    for item in known:
        if value == item:
            return item
    place.refuse(f'is "{value}", which is not known here.', did_you_mean(str(value), known))
    return None


def _quiet_hours(value: object, place: Place) -> QuietHours | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        place.refuse("must hold fields of their own.", f"Known: {', '.join(_QUIET_FIELDS)}.")
        return None
    fields = fields_of(value, place, _QUIET_FIELDS)
    begins, ends = _time(fields.get("from"), place["from"]), _time(fields.get("until"), place["until"])
    zone = _zone(fields.get("zone"), place["zone"])
    if begins is None or ends is None or zone is None:
        return None
    if begins == ends:
        place.refuse("end when they begin.", "Write two times; from 22:00 until 07:00 passes midnight.")
        return None
    return QuietHours(begins, ends, zone)


def _time(value: object, place: Place) -> time | None:
    if isinstance(value, str) and _TIME.fullmatch(value):
        return time.fromisoformat(value)
    place.refuse("is missing." if value is None else f'is "{value}", which is no time.', 'Write it as "22:00".')
    return None


def _zone(value: object, place: Place) -> str | None:
    zones = available_timezones() - {"localtime"}  # this machine's zone, which means another thing elsewhere
    if value in zones:
        return str(value)
    near = did_you_mean(str(value), zones)
    problem = "is missing." if value is None else f'is "{value}", which is no time zone.'
    place.refuse(problem, near if near.startswith("Did") else "Use an IANA name such as Etc/UTC or Europe/Berlin.")
    return None
