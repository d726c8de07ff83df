"""Where events come by, and how often a listing finds what they missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sluice.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

USUAL_MINUTES = 15
_MOST_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """URLs of an SQS queue and of that of its dead letters."""

    url: str
    dead_letters: str
    listing_every: timedelta = timedelta(minutes=USUAL_MINUTES)


def queue_place(environ: Mapping[str, str], *, in_aws: bool) -> QueuePlace | None:
    """Read SLUICE_QUEUE, SLUICE_DEAD_LETTERS, SLUICE_LISTING_MINUTES; None without a queue. Raises SettingInvalid."""
    url, dead_letters = _url(environ, "SLUICE_QUEUE"), _url(environ, "SLUICE_DEAD_LETTERS")
    every = _minutes(environ.get("SLUICE_LISTING_MINUTES") or str(USUAL_MINUTES))
    if not url:
        return None
    if not in_aws:
        raise SettingInvalid(
            name="SLUICE_QUEUE", value=url, problem="is a queue, but SLUICE_ENV is local", cure="Set SLUICE_ENV=aws."
        )
    if not dead_letters or dead_letters == url:
        raise SettingInvalid(
            name="SLUICE_DEAD_LETTERS",
            value=dead_letters,
            problem="names no queue of its own",
            cure="Set it to the URL of the queue for messages that nobody understands.",
        )
    return QueuePlace(url, dead_letters, every)


def _url(environ: Mapping[str, str], name: str) -> str:
    url = environ.get(name, "")
    if not url:
        return ""
    if not url.startswith(("https://", "http://")) or url.endswith(".fifo"):
        raise SettingInvalid(
            name=name,
            value=url,
            problem="is no URL of a standard queue",
            cure="Write https://sqs.REGION.amazonaws.com/ACCOUNT/NAME; S3 sends to no FIFO queue.",
        )
    return url


def _minutes(text: str) -> timedelta:
    if text.isdecimal() and 1 <= int(text) <= _MOST_MINUTES:
        return timedelta(minutes=int(text))
    raise SettingInvalid(
        name="SLUICE_LISTING_MINUTES",
        value=text,
        problem="is no number of minutes",
        cure=f"Write a whole number from 1 to {_MOST_MINUTES:,}.",
    )
