"""What a contract says about its source of type `api`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import TypeAlias
from urllib.parse import urlsplit

FROM_ENVIRONMENT = "env:"
"""What a header's value begins with when the rest names the environment variable that holds it."""

DATE = re.compile(r"\{(?P<word>date|next_date)(?::(?P<format>[^{}]+))?\}")
DATE_PARTS = re.compile("YYYY|MM|dd")


@dataclass(frozen=True, slots=True)
class LinkHeader:
    """The answer's header `Link` names the next page with rel="next" (RFC 8288)."""


@dataclass(frozen=True, slots=True)
class NextField:
    """A member of the answer holds the next page's URL; with `parameter` a token that is sent under that name."""

    field: str
    parameter: str | None = None


@dataclass(frozen=True, slots=True)
class PageNumber:
    """Pages are numbered; the first one without records is the end."""

    parameter: str
    start: int = 1


@dataclass(frozen=True, slots=True)
class Offset:
    """So many records are skipped as came before; the first page without records is the end."""

    parameter: str


Next: TypeAlias = LinkHeader | NextField | PageNumber | Offset


@dataclass(frozen=True, slots=True)
class Pull:
    """`location` is the first page's URL with a date in it; `next` None means that there is one page.

    A day that is over is pulled at `at` (UTC) of the day after, and again on the following ones, `days` times in all;
    the present day every `every`. `records` names the member that holds the list of records, "" the document itself.
    A header's value is plain text, or `env:` and the name of an environment variable.
    """

    location: str
    records: str = ""
    next: Next | None = None
    at: time = time()
    every: timedelta | None = None
    days: int = 3
    headers: tuple[tuple[str, str], ...] = ()
    timeout: timedelta = timedelta(seconds=30)

    @property
    def host(self) -> str:
        return urlsplit(self.location).netloc

    def first_url(self, partition: str) -> str:
        day = date.fromisoformat(partition)
        dates = {"date": day, "next_date": day + timedelta(days=1)}
        return DATE.sub(lambda match: _written(dates[match["word"]], match["format"] or "YYYY-MM-dd"), self.location)


def origin(url: str) -> tuple[str, str]:
    """Return scheme and host: what secrets are sent to, and nothing else."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def shown(url: str) -> str:
    """Return a URL as people may see it: what stands behind the path may be a secret of the other side."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _written(day: date, date_format: str) -> str:
    parts = {"YYYY": f"{day.year:04}", "MM": f"{day.month:02}", "dd": f"{day.day:02}"}
    return DATE_PARTS.sub(lambda part: parts[part[0]], date_format)
