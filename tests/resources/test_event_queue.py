"""What every queue of events does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from resources.clock import ManualClock
from resources.event_queue import MemoryQueue
from resources.failures import classify
from resources.queue_place import QueuePlace
from resources.sqs_queue import SqsQueue
from sluice.errors import QueueMissing
from sluice.healing.failure import FailureClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from resources.event_queue import EventQueue
    from tests.aws_server import AwsServer

HIDDEN = timedelta(seconds=4)  # longer than a machine stalls between two calls


@dataclass(frozen=True)
class Post:
    queue: EventQueue
    send: Callable[[str], object]
    let_time_pass: Callable[[], object]

    def received(self) -> list[str]:
        return sorted(message.body for message in self.queue.receive())


@pytest.fixture(params=["memory", pytest.param("sqs", marks=pytest.mark.aws)])
def post(request: pytest.FixtureRequest) -> Post:
    if request.param == "memory":
        clock = ManualClock(datetime(2026, 11, 5, tzinfo=UTC))
        memory = MemoryQueue(clock, HIDDEN)
        return Post(memory, memory.send, lambda: setattr(clock, "instant", clock.instant + HIDDEN))
    aws: AwsServer = request.getfixturevalue("aws")
    place = new_queues(aws)
    client = aws.client("sqs")
    queue = SqsQueue(place, aws.place("any"), HIDDEN)
    send = lambda body: client.send_message(QueueUrl=place.url, MessageBody=body)  # noqa: E731  as the other
    return Post(queue, send, lambda: time.sleep(HIDDEN.total_seconds() + 0.2))


def new_queues(aws: AwsServer) -> QueuePlace:
    client, name = aws.client("sqs"), f"events-{uuid4().hex}"
    urls = [client.create_queue(QueueName=f"{name}-{end}")["QueueUrl"] for end in ("in", "dead")]
    return QueuePlace(*urls)


def test_a_message_is_received_as_it_was_sent(post: Post) -> None:
    post.send('{"a": "é \\u0000"}')

    assert post.received() == ['{"a": "é \\u0000"}']


def test_an_empty_queue_gives_nothing(post: Post) -> None:
    assert post.received() == []


def test_what_somebody_deals_with_is_hidden_from_others_and_comes_again(post: Post) -> None:
    post.send("one")

    first, second = post.received(), post.received()
    post.let_time_pass()

    assert (first, second, post.received()) == (["one"], [], ["one"])


def test_what_is_deleted_never_comes_again(post: Post) -> None:
    post.send("one")
    post.queue.delete([message.receipt for message in post.queue.receive()])
    post.let_time_pass()

    assert post.received() == []


def test_deleting_twice_or_nothing_is_no_error(post: Post) -> None:
    post.send("one")
    receipts = [message.receipt for message in post.queue.receive()]

    post.queue.delete(receipts)
    post.queue.delete(receipts)
    post.queue.delete([])

    assert post.received() == []


def test_more_than_ten_come_in_portions(post: Post) -> None:
    sent = sorted(f"message {number}" for number in range(23))
    for body in sent:
        post.send(body)

    portions = [post.queue.receive() for _ in range(4)]
    post.queue.delete([message.receipt for portion in portions for message in portion])
    post.let_time_pass()

    assert max(map(len, portions)) == 10
    assert sorted(message.body for portion in portions for message in portion) == sent
    assert post.received() == []


def test_a_rejected_message_is_a_dead_letter_with_its_reason(post: Post) -> None:
    post.send("poison")
    (message,) = post.queue.receive()

    post.queue.reject(message, "The message is poison\nand more.")
    post.let_time_pass()

    (letter,) = post.queue.dead_letters()
    assert (letter.body, letter.reason.replace("?", "\n")) == ("poison", "The message is poison\nand more.")
    assert post.received() == []


def test_looking_at_dead_letters_leaves_them_there(post: Post) -> None:
    sent = sorted(f"letter {number}" for number in range(12))
    for body in sent:
        post.send(body)
    for message in (*post.queue.receive(), *post.queue.receive()):
        post.queue.reject(message, "no")

    looks = [sorted(letter.body for letter in post.queue.dead_letters()) for _ in range(2)]

    assert looks == [sent, sent]


def test_a_dead_letter_that_is_put_back_comes_as_it_came_first(post: Post) -> None:
    post.send("poison")
    post.send("other")
    for message in post.queue.receive():
        post.queue.reject(message, "no")

    post.queue.put_back(next(letter for letter in post.queue.dead_letters() if letter.body == "poison"))

    assert post.received() == ["poison"]
    assert [letter.body for letter in post.queue.dead_letters()] == ["other"]


@pytest.mark.aws
class TestSqs:
    def test_a_reason_of_any_length_and_signs_is_kept(self, aws: AwsServer) -> None:
        place = new_queues(aws)
        queue = SqsQueue(place, aws.place("any"))
        aws.client("sqs").send_message(QueueUrl=place.url, MessageBody="poison")
        (message,) = queue.receive()

        queue.reject(message, "\x00\ud800" + "ü" * 5_000)

        (letter,) = queue.dead_letters()
        assert letter.reason == "??" + "ü" * 1_998

    def test_what_the_queue_itself_gave_up_has_no_reason(self, aws: AwsServer) -> None:
        place, client = new_queues(aws), aws.client("sqs")
        wanted = {"QueueUrl": place.dead_letters, "AttributeNames": ["QueueArn"]}
        arn = client.get_queue_attributes(**wanted)["Attributes"]["QueueArn"]
        policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 1}}'
        client.set_queue_attributes(QueueUrl=place.url, Attributes={"RedrivePolicy": policy})
        client.send_message(QueueUrl=place.url, MessageBody="never dealt with")
        queue = SqsQueue(place, aws.place("any"), HIDDEN)

        queue.receive()
        time.sleep(HIDDEN.total_seconds() + 0.2)
        queue.receive()

        (letter,) = queue.dead_letters()
        assert (letter.body, letter.reason) == ("never dealt with", "")

    def test_a_queue_that_is_not_there_is_told_and_nobody_retries(self, aws: AwsServer) -> None:
        url = f"{aws.endpoint}/000000000000/not-there"
        queue = SqsQueue(QueuePlace(url, f"{url}-dead"), aws.place("any"))

        with pytest.raises(QueueMissing, match=r"There is no queue .*not-there") as caught:
            queue.receive()

        assert classify(caught.value).failure_class is FailureClass.CODE
