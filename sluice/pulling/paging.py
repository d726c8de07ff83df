"""What one answer says: how many records it has, and where the next page is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from sluice.contract import FileFormat
from sluice.errors import AnswerUnexpected, AnswerUnreadable, PullError
from sluice.pulling.pull import LinkHeader, NextField, Offset, PageNumber, origin, shown

if TYPE_CHECKING:
    from pathlib import Path

    from sluice.pulling.pull import Pull


@dataclass(frozen=True, slots=True)
class Answer:
    """One page as it came: `url` is where it was, `link` the URL of its Link header's rel="next"."""

    url: str
    link: str | None
    records: int | None = None
    next_value: object = None


def first_url(pull: Pull, partition: str) -> str:
    url = pull.first_url(partition)
    match pull.next:
        case PageNumber(parameter, start):
            return _with_parameter(url, parameter, start)
        case Offset(parameter):
            return _with_parameter(url, parameter, 0)
        case LinkHeader() | NextField() | None:
            return url
        case _:
            assert_never(pull.next)


def read_answer(pull: Pull, file_format: FileFormat, body: Path, url: str, link: str | None) -> Answer:
    """Read what paging needs; raises AnswerUnreadable, AnswerUnexpected. The strict look is the transform's."""
    match file_format:
        case FileFormat.JSON:
            document = _document(body, url)
            records = _records(document, pull.records, url)
            value = _member(document, pull.next.field) if isinstance(pull.next, NextField) else None
            return Answer(url, link, records, value)
        case FileFormat.JSONL:
            with body.open("rb") as lines:
                return Answer(url, link, sum(1 for line in lines if line.strip()))
        case FileFormat.CSV | FileFormat.PARQUET:
            return Answer(url, link)
        case _:
            assert_never(file_format)


def is_end(pull: Pull, answer: Answer) -> bool:
    """Whether this page has nothing and only says that the one before was the last."""
    return isinstance(pull.next, PageNumber | Offset) and answer.records == 0


def next_url(pull: Pull, first: str, answer: Answer, pages: int, records: int) -> str | None:
    """Return the next page's URL, None at the end; `pages` and `records` count what came so far, this page included.

    Raises PullError where it leads to another host: the secrets of this one must not go there.
    """
    if is_end(pull, answer):
        return None
    match pull.next:
        case None:
            return None
        case LinkHeader():
            return _same_host(first, answer.url, answer.link)
        case NextField(field, parameter):
            return _by_field(first, answer, field, parameter)
        case PageNumber(parameter, start):
            return _with_parameter(first, parameter, start + pages)
        case Offset(parameter):
            return _with_parameter(first, parameter, records)
        case _:
            assert_never(pull.next)


def require_same_host(first: str, url: str) -> None:
    if origin(first) != origin(url):
        raise PullError(
            f"{shown(first)} leads to {shown(url)}, which is another host.",
            cure="If the source has moved, write its new location into the contract.",
        )


def _by_field(first: str, answer: Answer, field: str, parameter: str | None) -> str | None:
    value = answer.next_value
    if value is None or value in ("", False):
        return None
    if not isinstance(value, str | int):
        raise AnswerUnexpected(
            url=shown(answer.url), problem=f'the member "{field}" is neither text nor a number nor null'
        )
    return _with_parameter(first, parameter, value) if parameter else _same_host(first, answer.url, str(value))


def _same_host(first: str, url: str, found: str | None) -> str | None:
    if not found:
        return None
    target = urljoin(url, found)
    require_same_host(first, target)
    return target


def _with_parameter(url: str, name: str, value: object) -> str:
    parts = urlsplit(url)
    others = [(key, item) for key, item in parse_qsl(parts.query, keep_blank_values=True) if key != name]
    return urlunsplit(parts._replace(query=urlencode([*others, (name, str(value))])))


def _document(body: Path, url: str) -> object:
    try:
        return json.loads(body.read_bytes())
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadable(url=shown(url), problem="is not a JSON document") from error


def _records(document: object, path: str, url: str) -> int:
    found = _member(document, path)
    if not isinstance(found, list):
        where = f'the member "{path}"' if path else "the document"
        raise AnswerUnexpected(url=shown(url), problem=f"{where} is no list of records")
    return len(found)


def _member(document: object, path: str) -> object:
    for name in path.split(".") if path else ():
        document = document.get(name) if isinstance(document, dict) else None
    return document
