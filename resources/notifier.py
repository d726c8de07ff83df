"""Port: tells people. What cannot be delivered is reported to the caller and stops nothing."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from resources.failures import classify
from resources.sns_topic import is_topic, publish_to
from sluice.errors import SluiceError
from sluice.notices.delivery import DELIVERED, Delivery
from sluice.notices.rules import variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    About = Mapping[str, Sequence[str]]

_TALKATIVE = ("apprise", "requests", "urllib3")
"""They log URLs, or the paths of URLs, and a webhook's path is its secret."""

_LONGEST_SECONDS = 10.0
"""For all receivers of one notice: a sensor that sends several has a minute."""

_NOTHING: About = MappingProxyType({})


class Notifier(Protocol):
    def send(self, route: str, title: str, body: str, about: About = _NOTHING) -> Delivery:
        """Return whether every receiver of the route took it; raises nothing.

        `about` is for receivers that choose by attributes: `severity`, `event`, `dataset`, `incident`.
        """


@dataclass(frozen=True, slots=True)
class AppriseNotifier:
    """Topics of SNS are told by ourselves, all others by Apprise.

    `environ` holds the receivers of each route, one or several between commas. Topics alone are named elsewhere.
    """

    environ: Mapping[str, str] = field(repr=False)

    def send(self, route: str, title: str, body: str, about: About = _NOTHING) -> Delivery:
        try:
            receivers = receivers_of(self.environ.get(variable_of(route), ""))
        except SluiceError as error:  # what it refers to cannot be had
            return _lost(error)
        if not receivers:
            return Delivery(is_done=False, problem=f"{variable_of(route)} is not set.")
        topics = [item for item in receivers if is_topic(item)]
        others = [item for item in receivers if not is_topic(item)]
        problems = [problem for item in topics if (problem := self._publish(item, title, body, about))]
        with _silence():
            delivered = not others or _deliver(", ".join(others), title, body)
        return DELIVERED if delivered and not problems else Delivery(is_done=False, problem=" ".join(problems))

    def _publish(self, topic: str, title: str, body: str, about: About) -> str:
        """Return what went wrong, if anything did."""
        try:
            publish_to(topic, self.environ.get("SLUICE_AWS_ENDPOINT") or None, title, body, about)
        except SluiceError as error:
            return _lost(error).problem
        return ""


@dataclass(slots=True)
class MemoryNotifier:
    """Keeps what was sent, for tests and drills; `broken` routes deliver nothing."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    about: list[About] = field(default_factory=list)

    def send(self, route: str, title: str, body: str, about: About = _NOTHING) -> Delivery:
        if route in self.broken:
            return Delivery(is_done=False)
        self.sent.append((route, title, body))
        self.about.append(about)
        return DELIVERED


def receivers_of(text: str) -> Sequence[str]:
    """Return topics one by one; what is Apprise's stays together, for its own rules say where a URL ends."""
    found = [part.strip(" ,\t\r\n") for part in re.split(r"((?:^|(?<=[,\s]))arn:[^,\s]*)", text)]
    return [part for part in found if part]


def _lost(error: SluiceError) -> Delivery:
    return Delivery(is_done=False, problem=f"{error.message} ({classify(error).failure_class}) {error.cure}")


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
