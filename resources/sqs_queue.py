"""The queue in SQS. A message is hidden while somebody deals with it, and comes again if that takes too long."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from resources.aws_errors import credentials_meaning
from resources.event_queue import HIDDEN
from resources.s3_errors import code_of
from sluice.errors import QueueForbidden, QueueMissing
from sluice.events.message import DeadLetter, Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from resources.queue_place import QueuePlace
    from resources.s3_place import S3Place

_BATCH = 10  # SQS gives and takes no more at once
_MISSING = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NonExistentQueue"})
_FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException"})
_STALE = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue"})
_REASON, _LONGEST_REASON = "sluice-reason", 2_000
_ENOUGH_EMPTY = 3
"""Without waiting SQS asks only some of its servers, so one empty answer proves nothing."""


class SqsQueue:
    """Events in one queue, dead letters in the other. Connections are opened when first used, anew in a fork."""

    def __init__(self, place: QueuePlace, aws: S3Place, hidden: timedelta = HIDDEN) -> None:
        self.place = place
        self._aws = aws
        self._hidden_seconds = int(hidden.total_seconds())
        self._lock = threading.Lock()
        self._opened: tuple[int, Any] | None = None

    def receive(self) -> tuple[Message, ...]:
        found = self._received(self.place.url, self._hidden_seconds)
        return tuple(Message(item["MessageId"], item["Body"], item["ReceiptHandle"]) for item in found)

    def delete(self, receipts: Sequence[str]) -> None:
        self._delete(self.place.url, receipts)

    def reject(self, message: Message, reason: str) -> None:
        attributes = {_REASON: {"DataType": "String", "StringValue": _plain(reason)[:_LONGEST_REASON]}}
        with explained_queue(self.place.dead_letters):
            self._client.send_message(
                QueueUrl=self.place.dead_letters, MessageBody=message.body, MessageAttributes=attributes
            )
        self.delete([message.receipt])

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        found: dict[str, DeadLetter] = {}
        empty = 0
        try:
            while empty < _ENOUGH_EMPTY:
                received = self._received(self.place.dead_letters, self._hidden_seconds)
                empty = 0 if received else empty + 1
                found |= {item["MessageId"]: _letter(item) for item in received}
        finally:
            self._show(found.values())
        return tuple(sorted(found.values(), key=lambda letter: (letter.sent_at, letter.id)))

    def put_back(self, letter: DeadLetter) -> None:
        with explained_queue(self.place.url):
            self._client.send_message(QueueUrl=self.place.url, MessageBody=letter.body)
        self._delete(self.place.dead_letters, [letter.receipt])

    def _received(self, url: str, hidden_seconds: int) -> list[dict[str, Any]]:
        with explained_queue(url):
            answer = self._client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=_BATCH,
                VisibilityTimeout=hidden_seconds,
                WaitTimeSeconds=0,  # sensors are evaluated one after the other; none keeps the others waiting
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=[_REASON],
            )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def _delete(self, url: str, receipts: Sequence[str]) -> None:
        for start in range(0, len(receipts), _BATCH):
            portion = receipts[start : start + _BATCH]
            entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(portion)]
            with explained_queue(url):
                answer = self._client.delete_message_batch(QueueUrl=url, Entries=entries)
            _check_failed(answer, "DeleteMessageBatch")

    def _show(self, letters: Any) -> None:  # noqa: ANN401  a view of a dict
        """Make visible again what was only looked at; whoever took it meanwhile keeps it."""
        receipts = [letter.receipt for letter in letters]
        for start in range(0, len(receipts), _BATCH):
            portion = receipts[start : start + _BATCH]
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(portion)
            ]
            with explained_queue(self.place.dead_letters):
                self._client.change_message_visibility_batch(QueueUrl=self.place.dead_letters, Entries=entries)

    @property
    def _client(self) -> Any:  # noqa: ANN401  botocore makes its clients at run time
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = os.getpid(), self._aws.client("sqs")
            return self._opened[1]


@contextmanager
def explained_queue(url: str) -> Iterator[None]:
    """Turn what the settings or the account are to blame for into errors of Sluice's own."""
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        code = code_of(error) if isinstance(error, ClientError) else ""
        if code in _MISSING:
            raise QueueMissing(url=url) from error
        if code in _FORBIDDEN:
            raise QueueForbidden(operation=str(error.operation_name), url=url) from error
        if (meant := credentials_meaning(error)) is not None:
            raise meant from error
        raise


def _check_failed(answer: dict[str, Any], operation: str) -> None:
    """Raise what a batch could not do; a receipt that has run out is no fault: the message comes again."""
    from botocore.exceptions import ClientError

    failed = [item for item in answer.get("Failed", ()) if item["Code"] not in _STALE]
    if failed:
        raise ClientError({"Error": {"Code": failed[0]["Code"], "Message": failed[0].get("Message", "")}}, operation)


def _letter(item: dict[str, Any]) -> DeadLetter:
    sent_at = datetime.fromtimestamp(int(item["Attributes"]["SentTimestamp"]) / 1000, UTC)
    reason = item.get("MessageAttributes", {}).get(_REASON, {}).get("StringValue", "")
    return DeadLetter(item["MessageId"], item["Body"], reason, sent_at, item["ReceiptHandle"])


def _plain(text: str) -> str:
    """Attributes take no control characters, and no text that is empty."""
    return "".join(letter if letter.isprintable() else "?" for letter in text) or "?"
