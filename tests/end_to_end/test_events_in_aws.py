"""Files that land in S3 are noticed by events, whatever happens to the messages and to who reads them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import dagster as dg
import pytest
from typer.testing import CliRunner

from pipeline_assets.cli.app import app
from pipeline_assets.cli.environment import Environment
from pipeline_assets.definitions import build_definitions, lazy_ports
from resources.clock import SystemClock
from resources.settings import fetch_settings
from resources.sqs_queue import SqsQueue
from tests.end_to_end.test_service import wait_for

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws

CHECKOUT = Path(__file__).parents[2]
HIDDEN = timedelta(seconds=3)
DAYS = ("2026-11-01", "2026-11-04")
FILES = ("generate", "orders", "--dates", "..".join(DAYS), "--bad-share", 0.04, "--duplicate-share", 0.05)

KILLED_TICK = """
import os, signal, sys
from tests.end_to_end.test_events_in_aws import environment_of, tick

class Killing:
    def __init__(self, port, method, when):
        self._port, self._method, self._when = port, method, when
    def __getattr__(self, name):
        found = getattr(self._port, name)
        return found if name != self._method else self._deadly(found)
    def _deadly(self, method):
        def call(*arguments, **keywords):
            if self._when == "after":
                method(*arguments, **keywords)
            os.kill(os.getpid(), signal.SIGKILL)
        return call

port, method, when = sys.argv[1].split(".")
environment = environment_of(dict(os.environ))
environment.__dict__[port] = Killing(getattr(environment, port), method, when)
tick(environment, None)
"""


def environment_of(environ: dict[str, str]) -> Environment:
    here = Path(environ["SLUICE_HOME"]).parent
    environment = Environment(fetch_settings(environ, here), SystemClock(), here, environ)
    assert environment.settings.queue is not None
    assert environment.settings.s3 is not None
    environment.__dict__["queue"] = SqsQueue(environment.settings.queue, environment.settings.s3, HIDDEN)
    return environment


def tick(environment: Environment, cursor: str | None) -> Any:
    """Evaluate the sensor `events` as the daemon does."""
    definitions = build_definitions(environment.contracts, lazy_ports(environment), watched=environment.watched)
    repository = definitions.get_repository_def()
    sensor = repository.get_sensor_def("events")
    ports = {name: getattr(environment, name) for name in sensor.required_resource_keys}
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(
            instance=instance, cursor=cursor, repository_def=repository, resources=ports
        ) as context,
    ):
        return sensor.evaluate_tick(context)


@dataclass(frozen=True)
class Lake:
    server: AwsServer
    folder: Path
    bucket: str
    queue: str
    dead_letters: str

    @cached_property
    def environ(self) -> dict[str, str]:
        return {
            "SLUICE_HOME": str(self.folder / "home"),
            "SLUICE_ENV": "aws",
            "SLUICE_STORE": f"s3://{self.bucket}/prod",
            "SLUICE_AWS_REGION": "eu-central-1",
            "SLUICE_AWS_ENDPOINT": self.server.endpoint,
            "SLUICE_QUEUE": self.queue,
            "SLUICE_DEAD_LETTERS": self.dead_letters,
        }

    @cached_property
    def environment(self) -> Environment:
        return environment_of(self.environ)

    def command(self, *arguments: object, **changed: str) -> Result:
        return CliRunner().invoke(app, [str(item) for item in arguments], env={**self.environ, **changed})

    def rows(self, *arguments: object, **changed: str) -> list[dict[str, Any]]:
        result = self.command(*arguments, "--json", **changed)
        assert result.exit_code == 0, result.output
        rows: list[dict[str, Any]] = json.loads(result.stdout)
        return rows

    def arn(self, url: str) -> str:
        found = self.server.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    def send(self, *bodies: str) -> None:
        client = self.server.client("sqs")
        for body in bodies:
            client.send_message(QueueUrl=self.queue, MessageBody=body)

    def put(self, name: str, text: str = "{}\n", day: str = "2026-11-03") -> None:
        key = f"prod/raw/orders/date={day}/{name}"
        self.server.client("s3").put_object(Bucket=self.bucket, Key=key, Body=text.encode())

    def upload(self, home: Path) -> None:
        """Land in S3 what has landed below a home."""
        client = self.server.client("s3")
        for path in sorted((home / "raw").rglob("*.gz")):
            key = f"prod/{path.relative_to(home).as_posix()}"
            client.put_object(Bucket=self.bucket, Key=key, Body=path.read_bytes())

    def take_all(self) -> list[str]:
        """Take everything out of the queue."""
        client, bodies = self.server.client("sqs"), list[str]()
        while found := client.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            bodies += [item["Body"] for item in found]
            for item in found:
                client.delete_message(QueueUrl=self.queue, ReceiptHandle=item["ReceiptHandle"])
        return bodies

    def waiting(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.server.client("sqs").get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def wait_until_told(self, messages: int) -> None:
        """A put is answered before its event is in the queue: ministack sends that from a thread of its own."""
        assert wait_for(lambda: self.waiting() >= messages, 60)

    def tick_until_quiet(self, environment: Environment) -> None:
        """A tick ends after some seconds, whatever is left."""
        for _ in range(20):
            tick(environment, None)
            if not self.waiting():
                return
            time.sleep(1)

    def noticed(self, day: str = "2026-11-03") -> list[str]:
        latest = self.environment.ledger.latest("orders", day)
        return [] if latest is None else [item.key.rpartition("/")[2] for item in latest.manifest.objects]

    def tell_by_sqs(self) -> None:
        self._notify(
            QueueConfigurations=[
                {
                    "QueueArn": self.arn(self.queue),
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "prod/raw/"}]}},
                }
            ]
        )

    def tell_by_eventbridge(self) -> None:
        self._notify(EventBridgeConfiguration={})
        self.route({"source": ["aws.s3"], "detail": {"bucket": {"name": [self.bucket]}}})

    def route(self, pattern: dict[str, object]) -> None:
        client, name = self.server.client("events"), f"rule-{uuid4().hex}"
        client.put_rule(Name=name, EventPattern=json.dumps(pattern))
        client.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": self.arn(self.queue)}])

    def _notify(self, **configuration: object) -> None:
        self.server.client("s3").put_bucket_notification_configuration(
            Bucket=self.bucket, NotificationConfiguration=configuration
        )


@pytest.fixture
def lake(aws: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.chdir(tmp_path)
    client, name = aws.client("sqs"), uuid4().hex
    queue, dead = (client.create_queue(QueueName=f"{name}-{end}")["QueueUrl"] for end in ("in", "dead"))
    return Lake(aws, tmp_path, aws.new_bucket(f"lake-{name}", versioned=True), queue, dead)


@pytest.mark.parametrize(
    ("way", "messages"),
    [
        pytest.param("tell_by_sqs", 3, id="sqs"),  # S3 tests a queue with an event of its own
        pytest.param("tell_by_eventbridge", 2, id="eventbridge"),
    ],
)
def test_an_object_is_told_by_an_event(lake: Lake, way: str, messages: int) -> None:
    getattr(lake, way)()
    names = ["a.jsonl.gz", "caf\u00e9 + 100%25.jsonl.gz"]
    for name in names:
        lake.put(name)
    lake.wait_until_told(messages)

    tick(lake.environment, None)

    assert lake.noticed() == names
    assert lake.waiting() == 0
    assert lake.rows("dlq", "list") == []


def kill_tick(environ: dict[str, str], point: str) -> int:
    return subprocess.run(
        [sys.executable, "-c", KILLED_TICK, point],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **environ},
        check=False,
    ).returncode


@pytest.mark.parametrize(
    "point",
    [
        *("store.list.before", "ledger.notice.before", "ledger.notice.after"),
        *("queue.delete.before", "queue.delete.after", "queue.reject.before", "queue.reject.after"),
    ],
)
def test_a_tick_that_is_killed_loses_nothing(lake: Lake, point: str) -> None:
    lake.tell_by_sqs()
    lake.put("a.jsonl.gz")
    lake.put("b.jsonl.gz")
    lake.send("poison")
    lake.wait_until_told(4)  # and the test of S3

    killed = kill_tick(lake.environ, point)
    time.sleep(HIDDEN.total_seconds() + 0.5)
    tick(lake.environment, None)

    assert killed == -signal.SIGKILL
    assert lake.noticed() == ["a.jsonl.gz", "b.jsonl.gz"]
    assert lake.waiting() == 0
    assert {row["body"] for row in lake.rows("dlq", "list")} == {"poison"}


def test_a_custom_event_starts_a_run(lake: Lake) -> None:
    lake.route({"detail-type": ["sluice.run"]})
    lake.server.client("events").put_events(
        Entries=[
            {
                "Source": "acme.scheduler",
                "DetailType": "sluice.run",
                "Detail": json.dumps({"dataset": "orders", "partition": "2026-11-03"}),
            }
        ]
    )

    first = tick(lake.environment, None)
    left_by_first = lake.waiting()
    tick(lake.environment, first.cursor)

    (request,) = first.run_requests
    assert (request.job_name, request.partition_key) == ("build_orders", "2026-11-03")
    assert (left_by_first, lake.waiting()) == (1, 0)


def test_a_dead_letter_is_sent_once_more_when_its_cause_is_gone(lake: Lake) -> None:
    body = json.dumps({"detail-type": "sluice.run", "id": "e1", "detail": {"dataset": "ordrs", "partition": "x"}})
    lake.send(body)
    tick(lake.environment, None)
    (letter,) = lake.rows("dlq", "list")

    shown = lake.command("dlq", "show", letter["id"][:8])
    again = lake.command("dlq", "redrive", letter["id"][:8])
    gone = lake.rows("dlq", "list")
    tick(lake.environment, None)
    back = lake.rows("dlq", "list")

    assert "'ordrs', which no contract declares" in shown.stdout
    assert '"dataset": "ordrs"' in shown.stdout
    assert again.stdout == "1 message sent once more.\n"
    assert gone == []
    assert [row["body"] for row in back] == [body]


def test_all_dead_letters_are_sent_once_more(lake: Lake) -> None:
    lake.send(*(f"poison {number}" for number in range(12)))
    tick(lake.environment, None)

    again = lake.command("dlq", "redrive", "--all")

    assert again.stdout == "12 messages sent once more.\n"
    assert lake.waiting() == 12


@pytest.mark.parametrize(
    ("arguments", "changed", "code", "says"),
    [
        (("dlq", "show", "nothing"), {}, 2, "is the id of no dead letter"),
        (("dlq", "redrive"), {}, 2, "Name ids, or say --all"),
        (("dlq", "list"), {"SLUICE_QUEUE": ""}, 2, "No queue of events is configured"),
        (("dlq", "list"), {"SLUICE_DEAD_LETTERS": ""}, 2, "names no queue of its own"),
        (("status",), {"SLUICE_LISTING_MINUTES": "0"}, 2, "Write a whole number from 1"),
        (("status",), {"SLUICE_QUEUE": "https://sqs/q.fifo"}, 2, "S3 sends to no FIFO queue"),
    ],
    ids=["unknown id", "nothing named", "no queue", "no dead letters", "minutes", "fifo"],
)
def test_what_cannot_be_used_is_said(
    lake: Lake, arguments: tuple[str, ...], changed: dict[str, str], code: int, says: str
) -> None:
    result = lake.command(*arguments, **changed)

    assert result.exit_code == code
    assert says in " ".join(result.stderr.split())


def test_doctor_tells_of_the_queue(lake: Lake) -> None:
    policy = json.dumps({"deadLetterTargetArn": lake.arn(lake.dead_letters), "maxReceiveCount": 20})
    lake.server.client("sqs").set_queue_attributes(QueueUrl=lake.queue, Attributes={"RedrivePolicy": policy})

    rows = {row["what"]: row["state"] for row in lake.rows("doctor")}

    assert (rows["queue"], rows["dead letters"]) == ("good", "good")


def test_doctor_tells_that_a_queue_is_missing(lake: Lake) -> None:
    result = lake.command("doctor", SLUICE_QUEUE=f"{lake.queue}-gone")

    assert result.exit_code == 1
    assert f"There is no queue {lake.queue}-gone" in result.stdout
    assert "Correct SLUICE_QUEUE" in result.stdout
