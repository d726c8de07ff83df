"""`sluice up` on what `make test-aws` starts: S3, its events in SQS, tables in Glue; everything goes wrong at once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import pytest

from pipeline_assets.cli.environment import Environment
from pipeline_assets.cli.sandbox import serving
from resources.clock import SystemClock
from resources.dagster_home import open_dagster
from resources.settings import fetch_settings
from sluice.healing.failure import FailureClass
from tests.end_to_end.test_events_in_aws import Lake
from tests.end_to_end.test_service import kill_all, processes_of, wait_for
from tests.flaky_proxy import Trouble, flaky
from tests.listeners import descendants_of, listeners_of
from tests.projected_tables import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluice.healing.incident import Incident
    from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws

DATASETS = Path(__file__).parents[2] / "pipeline_assets" / "datasets"
KILLED = "2026-11-03"
FILES = ("--dates", "2026-11-01..2026-11-04", "--files", 50, "--rows-per-file", 25)
SHARES = ("--bad-share", 0.04, "--duplicate-share", 0.05)
WHOLE = "select * from orders order by all"
REJECTED = "select object, line_no, hex(raw) as raw, reasons, partition_date from quarantine.orders order by all"


@dataclass
class Storm:
    """Throttles one of twenty requests to a bucket, and holds the first write of one partition."""

    bucket: str
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    throttled: int = 0

    def __call__(self, method: str, path: str) -> Trouble | None:
        if self.bucket not in path:
            return None
        if method == "PUT" and f"processed/orders/date={KILLED}/" in unquote(path) and not self.reached.is_set():
            self.reached.set()
            self.released.wait(60)
        if self.chance.random() < 0.05:
            self.throttled += 1
            return Trouble.SLOW_DOWN
        return None


@dataclass(frozen=True)
class ServedLake(Lake):
    """A lake as an account has it: tables in Glue, orders also as a plain table, and the same files in a folder."""

    @property
    def datasets(self) -> Path:
        return self.folder / "datasets"

    @cached_property
    def database(self) -> str:
        return f"lake_{uuid4().hex[:8]}"

    @cached_property
    def environ(self) -> dict[str, str]:
        return {
            **super().environ,
            "SLUICE_PROJECT_DATASETS": str(self.datasets),
            "SLUICE_GLUE_DATABASE": self.database,
            "SLUICE_ATHENA_WORKGROUP": self.database,
            "SLUICE_LISTING_MINUTES": "1440",  # nothing but events tells of what lands
        }

    @cached_property
    def local(self) -> dict[str, str]:
        """What turns a command for this lake into one for the folder."""
        names = [name for name in self.environ if name not in {"SLUICE_HOME", "SLUICE_PROJECT_DATASETS"}]
        return {**dict.fromkeys(names, ""), "SLUICE_HOME": str(self.folder / "local")}

    def land(self, *days: str) -> None:
        """Put the folder's files of these days into the bucket."""
        home, client = self.folder / "local", self.server.client("s3")
        for path in sorted(path for day in days for path in home.glob(f"raw/orders/date={day}/*.gz")):
            client.put_object(
                Bucket=self.bucket, Key=f"prod/{path.relative_to(home).as_posix()}", Body=path.read_bytes()
            )

    def states(self, **changed: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Return what `sluice status` tells of each partition."""
        return {(row["dataset"], row["partition"]): row for row in self.rows("status", **changed)}

    def answers(self, *questions: str, **changed: str) -> list[list[dict[str, Any]]]:
        return [self.rows("query", question, "--limit", 100_000, **changed) for question in questions]

    def by_athena(self, query: str) -> list[dict[str, Any]]:
        """Ask ministack's Athena for what Athena itself would read of the plain table."""
        into = f"laid_out_{uuid4().hex[:8]}"
        lay_out(self.server, self.database, "orders_plain", into)
        return self.rows("query", "--engine", "athena", query, SLUICE_GLUE_DATABASE=into)


@pytest.fixture
def lake(aws: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServedLake:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(DATASETS, tmp_path / "datasets")
    contract = tmp_path / "datasets" / "orders" / "contract.yaml"
    text = contract.read_text()
    assert "      start:" in text
    contract.write_text(text.replace("      start:", "      plain_table: true\n      start:", 1))
    client, name = aws.client("sqs"), uuid4().hex
    queue, dead = (client.create_queue(QueueName=f"{name}-{end}")["QueueUrl"] for end in ("in", "dead"))
    lake = ServedLake(aws, tmp_path, aws.new_bucket(f"lake-{name}", versioned=True), queue, dead)
    aws.client("glue").create_database(DatabaseInput={"Name": lake.database})
    results = {"OutputLocation": f"s3://{lake.bucket}/athena/"}
    aws.client("athena").create_work_group(
        Name=lake.database, Configuration={"ResultConfiguration": results, "BytesScannedCutoffPerQuery": 10**10}
    )
    return lake


@contextmanager
def service(lake: ServedLake, endpoint: str) -> Iterator[Environment]:
    environ = {**os.environ, **lake.environ, "SLUICE_AWS_ENDPOINT": endpoint}
    environment = Environment(fetch_settings(environ, lake.folder), SystemClock(), lake.folder, environ)
    environment.settings.home.mkdir()
    try:
        with serving(environment):
            yield environment
    finally:
        kill_all(environment.settings.home)


def workers_of(environment: Environment, partition: str) -> list[int]:
    """Return the processes that runs of this partition are at work in; one that has just begun may not be noted yet."""
    import dagster as dg

    wanted = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags={"dagster/partition": partition})
    with open_dagster(environment.settings.dagster_home) as instance:
        noted = [run.tags.get("sluice/worker") for run in instance.get_runs(wanted)]
    return [int(worker.partition("/")[0]) for worker in noted if worker]


def kill(workers: list[int]) -> None:
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def resolved_incidents(environment: Environment) -> list[Incident]:
    return [item for item in environment.ledger.incidents("orders") if item.resolved_by == "sluice"]


def sum_of(states: dict[tuple[str, str], dict[str, Any]], number: str) -> int:
    return sum(row[number] for row in states.values())


def test_200_files_become_the_same_tables_as_in_a_folder(lake: ServedLake) -> None:
    """Duplicates, any order, a poison message, a bucket that throttles, and a run that is killed at work."""
    made = lake.rows("generate", "orders", *FILES, *SHARES, **lake.local)
    lake.tell_by_sqs()
    lake.land("2026-11-01", "2026-11-02")
    lake.wait_until_told(101)  # S3 tests a queue with an event of its own
    told = lake.take_all()
    disorder = [*told, *told[::3], "poison", *told[::5]]
    random.Random(7).shuffle(disorder)

    storm = Storm(lake.bucket)
    with flaky(lake.server.endpoint, storm) as endpoint, service(lake, endpoint) as environment:
        lake.send(*disorder)
        lake.land(KILLED, "2026-11-04")
        assert storm.reached.wait(300)
        at_work = wait_for(lambda: workers_of(environment, KILLED), 25)  # after 30 s botocore writes once more
        assert at_work
        kill(at_work)
        storm.released.set()
        local = lake.command("run", **lake.local)
        in_a_folder = lake.states(**lake.local)
        assert wait_for(lambda: len(environment.ledger.all_published()) == len(in_a_folder), 400)
        same = wait_for(lambda: lake.states() == in_a_folder, 400)
        incidents = wait_for(lambda: resolved_incidents(environment), 120)
        assert wait_for(lambda: not lake.waiting(), 400)  # a message that failed comes again after two minutes
        listeners = listeners_of(descendants_of(os.getpid()) | processes_of(environment.settings.home))

    assert local.exit_code == 0, local.output
    in_aws = lake.states()
    assert (same, in_aws) == (True, in_a_folder)
    assert (len(told), storm.throttled > 20) == (101, True)
    assert [row["reason"] for row in lake.rows("dlq", "list")] == ["The message is no JSON: 'poison'."]
    assert [(item.partition, item.failure_class) for item in incidents] == [(KILLED, FailureClass.TRANSIENT)]
    assert set.union(*listeners.values()) == {"127.0.0.1"}
    assert {urlsplit(lake.server.endpoint).port, urlsplit(endpoint).port} < listeners.keys()

    assert sum_of(in_aws, "records_in") == 200 * 25
    assert sum_of(in_aws, "quarantined") == sum(row["bad"] for row in made)
    assert sum_of(in_aws, "duplicates") == sum(row["duplicates"] for row in made)
    published = sum_of(in_aws, "records_in") - sum_of(in_aws, "quarantined") - sum_of(in_aws, "duplicates")
    assert sum_of(in_aws, "published") == published > 4000

    rows, rejected = lake.answers(WHOLE, REJECTED)
    assert [rows, rejected] == lake.answers(WHOLE, REJECTED, **lake.local)
    assert (len(rows), len(rejected)) == (published, sum_of(in_aws, "quarantined"))
    total = "select count(*) as orders, sum(amount) as amount from {}"
    assert [lake.by_athena(total.format("orders_plain"))] == lake.answers(total.format("orders"), **lake.local)
