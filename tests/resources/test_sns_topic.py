"""A topic of SNS is a receiver of notices like any other; who subscribes chooses by attributes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from pipeline_assets.cli.app import app
from resources.notifier import AppriseNotifier, receivers_of
from resources.topic_checkup import check_topics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.aws_server import AwsServer

ABOUT = {"severity": ("critical",), "event": ("opened",), "dataset": ("orders",), "incident": ("7",)}
ARN = "arn:aws:sns:eu-central-1:000000000000:ops"
aws_tests = [pytest.mark.aws, pytest.mark.xdist_group("aws")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(ARN, [ARN], id="a topic"),
        pytest.param(f" {ARN}, {ARN}2 ", [ARN, f"{ARN}2"], id="two topics"),
        pytest.param(f"json://h/a,b, {ARN},slack://x json://y", ["json://h/a,b", ARN, "slack://x json://y"], id="both"),
        pytest.param("json://h/arn:aws:sns:x", ["json://h/arn:aws:sns:x"], id="in a URL"),
        pytest.param(" , ", [], id="nothing"),
    ],
)
def test_receivers_are_told_apart(text: str, expected: list[str]) -> None:
    assert receivers_of(text) == expected


@pytest.mark.parametrize("arn", [f"{ARN}.fifo", "arn:aws:sns:eu-central-1:ops", "arn:aws:sns:"])
def test_what_is_no_standard_topic_is_told_without_asking_aws(arn: str) -> None:
    delivery = AppriseNotifier({"SLUICE_NOTIFY_OPS": arn}).send("OPS", "title", "body")

    assert not delivery
    assert delivery.problem.startswith(f"The topic {arn} is no ARN of a standard topic. (code)")


@dataclass(frozen=True)
class Topic:
    """A topic with a queue that is subscribed to all of it, and one to what its policy lets through."""

    server: AwsServer
    arn: str
    queue: str
    narrow: str

    def notifier(self, *further: str) -> AppriseNotifier:
        receivers = ", ".join([self.arn, *further])
        return AppriseNotifier({"SLUICE_NOTIFY_OPS": receivers, "SLUICE_AWS_ENDPOINT": self.server.endpoint})

    def received(self, queue: str = "") -> list[Any]:
        answer = self.server.client("sqs").receive_message(QueueUrl=queue or self.queue, MaxNumberOfMessages=10)
        return [json.loads(item["Body"]) for item in answer.get("Messages", [])]


@pytest.fixture
def topic(aws: AwsServer) -> Topic:
    sns, sqs, name = aws.client("sns"), aws.client("sqs"), uuid4().hex
    arn = sns.create_topic(Name=name)["TopicArn"]
    urls = [sqs.create_queue(QueueName=f"{name}-{kind}")["QueueUrl"] for kind in ("all", "narrow")]
    policies: Sequence[Mapping[str, str]] = ({}, {"FilterPolicy": '{"severity": ["critical"], "dataset": ["orders"]}'})
    for url, policy in zip(urls, policies, strict=True):
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes=dict(policy))
    return Topic(aws, arn, *urls)


class TestWithAws:
    pytestmark = aws_tests

    def test_a_topic_gets_subject_message_and_attributes(self, topic: Topic) -> None:
        delivery = topic.notifier().send("OPS", "orders 2026-11-20 failed: quality", "12 % ≥ 5 %.\nOwner: shop", ABOUT)

        (found,) = topic.received()
        assert delivery
        assert (found["Subject"], found["Message"]) == ("orders 2026-11-20 failed: quality", "12 % ≥ 5 %.\nOwner: shop")
        assert {name: item["Value"] for name, item in found["MessageAttributes"].items()} == {
            "severity": "critical",
            "event": "opened",
            "dataset": "orders",
            "incident": "7",
        }

    @pytest.mark.parametrize(
        ("about", "count"),
        [
            pytest.param(ABOUT, 1, id="matches"),
            pytest.param({**ABOUT, "severity": ("warning",)}, 0, id="less severe"),
            pytest.param({**ABOUT, "dataset": ("payments",)}, 0, id="other dataset"),
            pytest.param({**ABOUT, "incident": ()}, 1, id="no incident"),
        ],
    )
    def test_a_subscription_chooses_by_attributes(
        self, topic: Topic, about: dict[str, tuple[str, ...]], count: int
    ) -> None:
        assert topic.notifier().send("OPS", "title", "body", about)

        assert len(topic.received(topic.narrow)) == count

    def test_several_datasets_are_an_array(self, topic: Topic) -> None:
        topic.notifier().send("OPS", "title", "body", {"dataset": ("orders", "payments")})

        (found,) = topic.received()
        assert found["MessageAttributes"] == {
            "dataset": {"Type": "String.Array", "Value": '["orders", "payments"]'},
        }

    @pytest.mark.parametrize(
        ("title", "expected"),
        [
            pytest.param("x" * 200, "x" * 99, id="long"),
            pytest.param(" größer ≥\nb\x7f", "gr??er ??b?", id="letters that SNS refuses"),
            pytest.param("", "Sluice", id="empty"),
        ],
    )
    def test_a_subject_is_what_sns_takes(self, topic: Topic, title: str, expected: str) -> None:
        topic.notifier().send("OPS", title, "body")

        assert [item["Subject"] for item in topic.received()] == [expected]

    def test_a_message_that_is_too_long_is_cut_between_letters(self, topic: Topic) -> None:
        assert topic.notifier().send("OPS", "title", "ä" * 200_000, ABOUT)

        (found,) = topic.received()
        assert found["Message"].endswith("ä\n... (cut: SNS takes 256 KB; all of it is in: sluice incidents)")
        assert 256 * 1024 - 200 < len(found["Message"].encode()) < 256 * 1024

    def test_a_topic_that_is_not_there_is_told(self, topic: Topic) -> None:
        gone = AppriseNotifier({"SLUICE_NOTIFY_OPS": f"{topic.arn}x", "SLUICE_AWS_ENDPOINT": topic.server.endpoint})

        delivery = gone.send("OPS", "title", "body")

        assert not delivery
        assert delivery.problem.startswith(f"The topic {topic.arn}x is not there. (code) Correct the route's variable")

    def test_the_other_receivers_of_a_route_are_told_all_the_same(self, topic: Topic) -> None:
        assert not topic.notifier(f"{topic.arn}x", "json://127.0.0.1:1/x").send("OPS", "title", "body")

        assert len(topic.received()) == 1

    def test_a_network_without_sns_is_told_soon(self) -> None:
        nowhere = AppriseNotifier({"SLUICE_NOTIFY_OPS": ARN, "SLUICE_AWS_ENDPOINT": "http://127.0.0.1:1"})

        assert "(EndpointConnectionError). (sink_unavailable)" in nowhere.send("OPS", "title", "body").problem

    def test_the_receivers_may_be_a_secret(self, topic: Topic, tmp_path: Path) -> None:
        topic.server.client("ssm").put_parameter(Name=f"/{topic.queue[-40:]}", Value=topic.arn, Type="SecureString")
        environ = {
            "SLUICE_HOME": str(tmp_path),
            "SLUICE_AWS_REGION": "eu-central-1",
            "SLUICE_AWS_ENDPOINT": topic.server.endpoint,
            "SLUICE_NOTIFY_OPS": f"ssm:/{topic.queue[-40:]}",
            "SLUICE_NOTIFY_GONE": "ssm:/gone",
            "SLUICE_NOTIFY_WRONG": f"{topic.arn}x",
        }

        result = CliRunner().invoke(app, ["doctor", "--json"], env=environ)

        found = {(row["what"], row["found"], row["state"]) for row in json.loads(result.stdout)}
        assert ("SLUICE_NOTIFY_OPS", f"{topic.arn}, 2 subscriptions", "good") in found
        assert ("SLUICE_NOTIFY_WRONG", f"The topic {topic.arn}x is not there.", "broken") in found
        assert [state for what, _, state in found if what == "SLUICE_NOTIFY_GONE"] == ["broken"]


class TestWithPolicies:
    pytestmark = aws_tests

    def test_a_topic_that_is_closed_to_us_is_told(self, guarded: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
        arn = guarded.client("sns").create_topic(Name="ops")["TopicArn"]
        iam = guarded.client("iam")
        iam.create_user(UserName="nobody")
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        environ = {"SLUICE_NOTIFY_OPS": arn, "SLUICE_AWS_ENDPOINT": guarded.endpoint}

        problem = AppriseNotifier(environ).send("OPS", "title", "body").problem

        assert problem.startswith(f"The topic {arn} is closed to these credentials (sns:Publish). (permission)")
        assert [item.state for item in check_topics(environ)] == ["advice"]
