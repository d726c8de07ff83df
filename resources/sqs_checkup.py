"""Looks at the queue that events come by: is it there, may it be read, will a killed tick get its messages back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from resources.event_queue import HIDDEN
from resources.s3_errors import code_of
from resources.sqs_queue import explained_queue
from sluice.checked import Checked, advice, broken, good
from sluice.errors import SluiceError
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.queue_place import QueuePlace
    from resources.s3_place import S3Place

_ATTEMPTS = 2
_LEAST_RECEIPTS = 5


def check_queue(place: QueuePlace, aws: S3Place) -> Iterator[Checked]:
    yield _told("queue", place.url, place, aws)
    yield _told("dead letters", place.dead_letters, place, aws)


def _told(what: str, url: str, place: QueuePlace, aws: S3Place) -> Checked:
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        with explained_queue(url):
            client = aws.client("sqs", attempts=_ATTEMPTS)
            found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    except SluiceError as error:
        return broken(what, error.message, error.cure)
    except ClientError as error:
        return broken(what, f"{url} gave {code_of(error)}", "Look the code up in the documentation of SQS.")
    except BotoCoreError as error:
        return broken(what, f"{url} cannot be reached ({type(error).__name__})", "Check the network and the URL.")
    return _judged(what, url, found) if url == place.url else _counted_letters(what, url, found)


def _judged(what: str, url: str, found: Any) -> Checked:  # noqa: ANN401  attributes as SQS has them
    policy = json.loads(found.get("RedrivePolicy", "{}"))
    receipts = int(policy.get("maxReceiveCount", 0))
    if 0 < receipts < _LEAST_RECEIPTS:
        cure = f"Set maxReceiveCount to {_LEAST_RECEIPTS} or more: a message comes again when a tick is killed."
        return advice(what, f"{url} gives a message up after {counted(receipts, 'receipt')}", cure)
    if not receipts:
        cure = "Give it a redrive policy, else what can never be dealt with comes for as long as the queue keeps it."
        return advice(what, f"{url} has no redrive policy", cure)
    hidden = f"{HIDDEN.total_seconds():.0f} s"
    return good(what, f"{url}, {found['ApproximateNumberOfMessages']} waiting; what is received is hidden for {hidden}")


def _counted_letters(what: str, url: str, found: Any) -> Checked:  # noqa: ANN401
    count = int(found["ApproximateNumberOfMessages"])
    return advice(what, f"{url} holds {count}", "See them: sluice dlq list") if count else good(what, f"{url}, none")
