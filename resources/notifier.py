"""Port: tells people. What cannot be delivered is reported to the caller and stops nothing."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sluice.notices.rules import variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TALKATIVE = ("apprise", "requests", "urllib3")
"""They log URLs, or the paths of URLs, and a webhook's path is its secret."""

_LONGEST_SECONDS = 10.0
"""For all receivers of one notice: a sensor that sends several has a minute."""


class Notifier(Protocol):
    def send(self, route: str, title: str, body: str) -> bool:
        """Return whether every receiver of the route took it; raises nothing."""


@dataclass(frozen=True, slots=True)
class AppriseNotifier:
    """`environ` holds the Apprise URLs of each route, one or several between commas. They appear nowhere else."""

    environ: Mapping[str, str] = field(repr=False)

    def send(self, route: str, title: str, body: str) -> bool:
        urls = self.environ.get(variable_of(route), "").strip()
        if not urls:
            return False
        with _silence():
            return _deliver(urls, title, body)


@dataclass(slots=True)
class MemoryNotifier:
    """Keeps what was sent, for tests and drills; `broken` routes deliver nothing."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def send(self, route: str, title: str, body: str) -> bool:
        if route in self.broken:
            return False
        self.sent.append((route, title, body))
        return True


def _deliver(urls: str, title: str, body: str) -> bool:
    from apprise import Apprise, AppriseAsset, NotifyFormat

    receivers = Apprise(asset=AppriseAsset(app_id="Sluice", app_desc="Sluice", app_url=""))
    try:
        understood = receivers.add(urls)
        delivered = receivers.notify(body, title, body_format=NotifyFormat.TEXT, timeout=_LONGEST_SECONDS)
        return understood and bool(delivered)  # of several, those that are understood are told
    except Exception:  # noqa: BLE001  a receiver's plugin may raise anything, and its text may hold the URL
        return False


@contextmanager
def _silence() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
