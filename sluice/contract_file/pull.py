"""The contract's `pull`, and the location of its server of type `api`: how and when Sluice asks an HTTP source."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from sluice.contract import FileFormat
from sluice.contract_file.cost import fields_of
from sluice.contract_file.duration import read_duration
from sluice.pulling.pull import (
    DATE,
    DATE_PARTS,
    FROM_ENVIRONMENT,
    LinkHeader,
    Next,
    NextField,
    Offset,
    PageNumber,
    Pull,
)

if TYPE_CHECKING:
    from sluice.contract_file.place import Place

_FIELDS = ("at", "every", "records", "next", "days", "headers", "timeout")
_NEXT_CURE = (
    'Write next: link_header, {field: "paging.next"}, {field: cursor, parameter: cursor}, {page: page, start: 1} '
    "or {offset: offset}; leave it out if there is one page."
)
_PATH_CURE = "Write the names of members joined by dots, such as items or data.orders; leave it out for a plain list."
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_PATH = re.compile(r"[^.\s]+(\.[^.\s]+)*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_VARIABLE = re.compile(r"SLUICE_SECRET_[A-Z0-9_]+", re.ASCII)
_OF_SECRETS = re.compile(r"auth|cookie|credential|key|passw|secret|signature|token", re.IGNORECASE)
_ON_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
_MOST_DAYS = 366
_SHORTEST = timedelta(minutes=1)
_LONGEST = timedelta(days=1)
_LONGEST_TIMEOUT = timedelta(minutes=10)
_USUAL = Pull("")


def read_pull(
    value: object, place: Place, location: str | None, location_place: Place, file_format: FileFormat | None
) -> Pull:
    """Return how to pull; `value` is what is written under `pull`, None when nothing is."""
    _check_location(location, location_place)
    if value is None:
        place.refuse(
            "is missing: it says when to ask the source.", 'Write pull: {at: "06:00"} or pull: {every: 15 min}.'
        )
        return _USUAL
    read = fields_of(value, place, _FIELDS)
    if isinstance(value, dict) and not read.keys() & {"at", "every"}:
        place.refuse("does not say when.", 'Add at: "06:00", a UTC time on the day after, or every: 15 min.')
    following = _next(read["next"], place["next"]) if "next" in read else None
    records = _path(read["records"], place["records"]) if "records" in read else ""
    _check_format(file_format, records, following, place)
    return Pull(
        location=location or "",
        records=records,
        next=following,
        at=_at(read["at"], place["at"]) if "at" in read else _USUAL.at,
        every=_every(read["every"], place["every"]) if "every" in read else None,
        days=_days(read["days"], place["days"]) if "days" in read else _USUAL.days,
        headers=_headers(read["headers"], place["headers"]) if "headers" in read else (),
        timeout=_timeout(read["timeout"], place["timeout"]) if "timeout" in read else _USUAL.timeout,
    )


def _check_location(location: str | None, place: Place) -> None:
    example = "https://api.example.com/v1/orders?day={date}"
    if location is None:
        place.refuse("is missing.", f'Write the URL of the first page, such as "{example}".')
        return
    plain = DATE.sub("2026-11-01", location)
    try:
        parts = urlsplit(plain)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"https", "http"} or not host or not plain.isascii() or re.search(r"[\s{}]", plain):
        place.refuse(
            "is no URL of an HTTP source.", f'Write it like "{example}"; dates are {{date}} and {{next_date}}.'
        )
        return
    _check_safe(parts.scheme, host, parts.username, parts.query, place)
    if DATE.search(urlsplit(location).netloc):
        place.refuse("has a date in its host.", "Put it into the path or behind the question mark.")
    _check_dates(location, place)


def _check_safe(scheme: str, host: str, user: str | None, query: str, place: Place) -> None:
    secret = next((name for name, _ in parse_qsl(query, keep_blank_values=True) if _OF_SECRETS.search(name)), None)
    if user is not None or secret is not None:
        where = "a password" if user is not None else f'the parameter "{secret}"'
        place.refuse(
            f"has {where}, and URLs are shown.",
            'Send it in a header: pull: {headers: {Authorization: "env:SLUICE_SECRET_..."}}.',
        )
    if scheme == "http" and host not in _ON_THIS_MACHINE:
        place.refuse("is not encrypted.", "Write https; http is for this machine alone.")


def _check_dates(location: str, place: Place) -> None:
    dates = list(DATE.finditer(location))
    if not any(match["word"] == "date" for match in dates):
        place.refuse("has no {date}, so every day would be the same.", "Put {date} where the source expects the day.")
    for match in dates:
        written = match["format"] or "YYYY-MM-dd"
        letters = DATE_PARTS.sub("", written)
        if sorted(DATE_PARTS.findall(written)) != ["MM", "YYYY", "dd"] or re.search(r"[A-Za-z0-9]", letters):
            place.refuse(f'has the date format "{written}".', "It holds YYYY, MM and dd once each: {date:YYYY/MM/dd}.")


def _check_format(file_format: FileFormat | None, records: str, following: Next | None, place: Place) -> None:
    if file_format is not FileFormat.JSON and records:
        place["records"].refuse("names a member, which only format json has.", "Leave it out, or write format: json.")
    if file_format is not FileFormat.JSON and isinstance(following, NextField):
        place["next"].refuse("names a member, which only format json has.", "Write next: link_header, or leave it out.")
    if file_format is FileFormat.CSV and isinstance(following, PageNumber | Offset):
        place["next"].refuse("counts records, which is not done for csv.", "Write next: link_header, or leave it out.")


def _next(value: object, place: Place) -> Next | None:
    if value == "link_header":
        return LinkHeader()
    match value:
        case {"field": str(field), **others} if _PATH.fullmatch(field) and others.keys() <= {"parameter"}:
            parameter = others.get("parameter")
            if parameter is None or _is_name(parameter):
                return NextField(field, parameter if isinstance(parameter, str) else None)
        case {"page": page, **others} if _is_name(page) and others.keys() <= {"start"}:
            start = others.get("start", 1)
            if isinstance(start, int) and not isinstance(start, bool) and start >= 0:
                return PageNumber(str(page), start)
        case {"offset": offset, **others} if _is_name(offset) and not others:
            return Offset(str(offset))
    place.refuse("is no way to the next page.", _NEXT_CURE)
    return None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _path(value: object, place: Place) -> str:
    if isinstance(value, str) and _PATH.fullmatch(value):
        return value
    place.refuse(f'is "{value}".', _PATH_CURE)
    return ""


def _at(value: object, place: Place) -> time:
    written = _TIME.fullmatch(value) if isinstance(value, str) else None
    if written:
        return time(int(written[1]), int(written[2]))
    place.refuse(f'is "{value}", which is no time of day.', 'Write a UTC time such as "06:00", in quotes.')
    return _USUAL.at


def _every(value: object, place: Place) -> timedelta | None:
    found = len(place.problems)
    every = read_duration(value, place, _LONGEST)
    if len(place.problems) == found and not _SHORTEST <= every <= _LONGEST:
        place.refuse(f'is "{value}".', "Write from 1 min to 24 h.")
    return every


def _timeout(value: object, place: Place) -> timedelta:
    timeout = read_duration(value, place, _USUAL.timeout)
    if timeout > _LONGEST_TIMEOUT:
        place.refuse(f'is "{value}".', "Write at most 10 min: it is how long one answer may stay silent.")
    return timeout


def _days(value: object, place: Place) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_DAYS:
        return value
    place.refuse(f'is "{value}".', f"Write how many times a day is pulled after it is over, from 1 to {_MOST_DAYS}.")
    return _USUAL.days


def _headers(value: object, place: Place) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        place.refuse("must hold headers.", 'Write headers: {Authorization: "env:SLUICE_SECRET_..."}.')
        return ()
    return tuple((str(name), _header(str(name), item, place[str(name)])) for name, item in value.items())


def _header(name: str, value: object, place: Place) -> str:
    if not _TOKEN.fullmatch(name):
        place.refuse("is no name of a header.", "Write a name such as Authorization.")
    elif not isinstance(value, str) or not _VALUE.fullmatch(value):
        place.refuse("is no plain text of one line.", 'Write text, or "env:SLUICE_SECRET_..." for what is secret.')
    elif value.startswith(FROM_ENVIRONMENT):
        if not _VARIABLE.fullmatch(value.removeprefix(FROM_ENVIRONMENT)):
            place.refuse(
                "names no variable for secrets.", 'Write "env:SLUICE_SECRET_" and capital letters, digits or _.'
            )
    elif _OF_SECRETS.search(name):
        # The value is not repeated: a secret that was written here must not reach logs as well.
        place.refuse("looks like a secret, and contracts are public.", 'Write "env:SLUICE_SECRET_..." and set that.')
    return str(value)
