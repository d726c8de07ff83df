"""Looks at the topics that notices go to: are they there, does anybody listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.notifier import receivers_of
from resources.sns_topic import is_topic, look_at
from sluice.checked import Checked, advice, broken, good
from sluice.errors import SluiceError, TopicForbidden
from sluice.notices.rules import VARIABLE_PREFIX
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def check_topics(environ: Mapping[str, str]) -> Iterator[Checked]:
    for name in sorted(environ):
        if name.startswith(VARIABLE_PREFIX):
            endpoint = environ.get("SLUICE_AWS_ENDPOINT") or None
            yield from (_told(name, topic, endpoint) for topic in _topics(environ, name))


def _topics(environ: Mapping[str, str], name: str) -> Sequence[str]:
    try:
        return [receiver for receiver in receivers_of(environ[name]) if is_topic(receiver)]
    except SluiceError:  # a reference that cannot be had is told where references are looked at
        return ()


def _told(variable: str, topic: str, endpoint: str | None) -> Checked:
    try:
        count = look_at(topic, endpoint)
    except TopicForbidden:  # to publish needs another permission, and a look must not publish
        return advice(
            variable, f"{topic} may not be looked at", "Allow sns:GetTopicAttributes to see whether it is there."
        )
    except SluiceError as error:
        return broken(variable, error.message, error.cure)
    if not count:
        return advice(variable, f"{topic} has no confirmed subscription", "Subscribe somebody, and confirm it.")
    return good(variable, f"{topic}, {counted(count, 'subscription')}")
