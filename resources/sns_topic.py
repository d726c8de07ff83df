"""Topics of SNS as receivers of notices: what is published, and why it was not."""

from __future__ import annotations

import json
import re
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from resources.aws_errors import credentials_meaning
from resources.aws_session import aws_session
from resources.s3_errors import code_of
from sluice.errors import TopicForbidden, TopicMissing, TopicUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):\d{12}:[A-Za-z0-9_-]{1,256}", re.ASCII)
"""Of a standard topic: one in FIFO order would need an order."""

_LONGEST_SUBJECT = 99  # SNS says: less than 100
_LARGEST_BYTES = 256 * 1024
_CUT = "\n... (cut: SNS takes 256 KB; all of it is in: sluice incidents)"
_CONNECT_SECONDS, _READ_SECONDS = 3, 7
_MISSING = frozenset({"NotFound", "NotFoundException"})
_FORBIDDEN = frozenset(
    {"AuthorizationError", "AuthorizationErrorException", "AccessDenied", "AccessDeniedException", "KMSAccessDenied"}
)


def is_topic(receiver: str) -> bool:
    """Whether it is meant as one; whether it can be is another question."""
    return re.match(r"arn:[^:]*:sns:", receiver) is not None


def publish_to(topic: str, endpoint: str | None, title: str, body: str, about: Mapping[str, Sequence[str]]) -> None:
    """Publish once; raises TopicError or CredentialsInvalid.

    No request is made twice: one whose answer was lost may have arrived, and what is told is told at most once.
    """
    attributes = _attributes(about)
    size = sum(len(name) + sum(len(text.encode()) for text in value.values()) for name, value in attributes.items())
    with _topic(topic, endpoint, "Publish") as aws:
        aws.publish(
            TopicArn=topic,
            Subject=_subject(title),
            Message=_cut(body or title, _LARGEST_BYTES - size),
            MessageAttributes=attributes,
        )


def look_at(topic: str, endpoint: str | None) -> int:
    """Return how many subscriptions are confirmed; raises TopicError or CredentialsInvalid."""
    with _topic(topic, endpoint, "GetTopicAttributes") as aws:
        return int(aws.get_topic_attributes(TopicArn=topic)["Attributes"].get("SubscriptionsConfirmed", 0))


def _subject(title: str) -> str:
    """ASCII, one line, and nothing that a subject may not begin with."""
    text = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in title.strip())
    return (text or "Sluice")[:_LONGEST_SUBJECT].rstrip()


def _cut(body: str, most: int) -> str:
    written = body.encode()
    if len(written) <= most:
        return body
    return written[: most - len(_CUT.encode())].decode(errors="ignore") + _CUT


def _attributes(about: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """One value is a string, several are an array: the filter policy of a subscription matches both alike."""
    return {
        name: {"DataType": "String", "StringValue": values[0]}
        if len(values) == 1
        else {"DataType": "String.Array", "StringValue": json.dumps(values)}
        for name, values in about.items()
        if values
    }


@contextmanager
def _topic(topic: str, endpoint: str | None, operation: str) -> Iterator[Any]:
    from botocore.config import Config  # type: ignore[import-untyped]
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    found = TOPIC_ARN.fullmatch(topic)
    if found is None:
        raise TopicMissing(topic=topic, problem="is no ARN of a standard topic")
    config = Config(
        region_name=found["region"],
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    try:
        with closing(aws_session().client("sns", endpoint_url=endpoint, config=config)) as aws:
            yield aws
    except (BotoCoreError, ClientError) as error:
        code = code_of(error) if isinstance(error, ClientError) else ""
        if code in _MISSING:
            raise TopicMissing(topic=topic) from error
        if code in _FORBIDDEN:
            raise TopicForbidden(topic=topic, operation=f"sns:{operation}") from error
        if (meant := credentials_meaning(error)) is not None:
            raise meant from error
        raise TopicUnavailable(topic=topic, problem=code or type(error).__name__) from error
