"""What the sensor tells a topic is in the queue of its subscriber, once, with what a filter needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import dagster as dg
import pytest

from resources.notifier import AppriseNotifier
from sluice.contract import Contract
from sluice.healing.failure import FailureClass
from sluice.notices.rules import NotifyRules, Route
from tests.sensors.test_notices import HOUR, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws_server import AwsServer

pytestmark = [pytest.mark.aws, pytest.mark.xdist_group("aws")]


class Subscriber:
    def __init__(self, server: AwsServer) -> None:
        sns, self.sqs, name = server.client("sns"), server.client("sqs"), uuid4().hex
        self.topic = sns.create_topic(Name=name)["TopicArn"]
        self.queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=attributes["QueueArn"])

    def received(self) -> list[tuple[str, dict[str, Any]]]:
        """Return subjects and attributes, and take the messages out of the queue."""
        found = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        for item in found:
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=item["ReceiptHandle"])
        bodies = [json.loads(item["Body"]) for item in found]
        return [
            (body["Subject"], {name: item["Value"] for name, item in body["MessageAttributes"].items()})
            for body in bodies
        ]


@pytest.fixture
def subscriber(aws: AwsServer) -> Subscriber:
    return Subscriber(aws)


@pytest.fixture
def watch(aws: AwsServer, subscriber: Subscriber) -> Iterator[Watch]:
    environ = {"SLUICE_NOTIFY_OPS": subscriber.topic, "SLUICE_AWS_ENDPOINT": aws.endpoint}
    contracts = {"orders": Contract("orders", "1.0.0", (), notify=NotifyRules((Route("OPS"),)))}
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watch(instance, contracts, notifier=AppriseNotifier(environ))


def test_a_topic_is_told_once_and_of_the_same_kind_once_an_hour(watch: Watch, subscriber: Subscriber) -> None:
    about = {"severity": "critical", "event": "opened", "dataset": "orders"}
    watch.fail(1, FailureClass.PERMISSION)
    watch.tick()
    watch.fail(2, FailureClass.PERMISSION)
    watch.tick()

    assert subscriber.received() == [("orders 2024-01-02 failed: permission", {**about, "incident": "1"})]
    watch.clock.instant += HOUR
    watch.tick()
    watch.tick()

    assert subscriber.received() == [
        ("orders: 2 partitions failed: permission", {**about, "incident": '["2", "3"]'}),
    ]
