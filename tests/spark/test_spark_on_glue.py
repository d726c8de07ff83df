"""Runs whose Spark is a Glue job: AWS's API by an emulator, the job by a real Spark, the objects in the emulator's S3.

The emulator has no Spark. It runs scripts of Python shell jobs, and gives them their arguments as environment: a script
of this test makes arguments of them again and starts the real job.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import duckdb
import pytest

from pipeline_assets.cli.environment import Environment
from pipeline_assets.definitions import build_definitions, lazy_ports
from resources.clock import ManualClock
from resources.settings import Deployment, Settings
from resources.spark_checkup import check_spark
from resources.spark_place import SparkKind, SparkPlace
from sluice.healing.failure import FailureClass
from tests.aws_server import CREDENTIALS
from tests.spark.differential import JOB, PYTHON, environment
from tests.spark.test_spark_in_runs import DAY, LINES, asks_for

if TYPE_CHECKING:
    from pathlib import Path

    from dagster._core.execution.execute_in_process_result import ExecuteInProcessResult

    from tests.aws_server import AwsServer

pytestmark = [pytest.mark.spark, pytest.mark.xdist_group("spark-runs")]

STARTS_THE_JOB = """
import os
names = "store job region endpoint kms-key context dagster-pipes-context dagster-pipes-messages".split()
arguments = [word for name in names if name in os.environ for word in (f"--{{name}}", os.environ[name])]
os.execve({python!r}, [{python!r}, {job!r}, *arguments], {environ!r})
"""
FAILS = "raise SystemExit('no workers left')"


def lake(aws: AwsServer, tmp_path: Path, name: str) -> Environment:
    bucket = aws.new_bucket(f"spark-{name}")
    folder = tmp_path / "datasets" / "events"
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(asks_for("spark").text)
    settings = Settings(
        tmp_path / "home",
        (folder.parent,),
        Deployment.AWS,
        s3=aws.place(bucket, "shop/"),
        spark=SparkPlace(SparkKind.GLUE, name),
    )
    later = datetime.now(UTC) + timedelta(hours=1)  # what landed a moment ago might not be whole yet
    opened = Environment(settings, ManualClock(later), tmp_path)
    landed = tmp_path / "landed"
    landed.write_text(LINES)
    opened.store.put(f"raw/events/date={DAY}/a.jsonl", landed)
    return opened


def create_job(aws: AwsServer, tmp_path: Path, name: str, script: str) -> None:
    path = tmp_path / f"{name}.py"
    path.write_text(script)
    command = {"Name": "pythonshell", "ScriptLocation": str(path)}
    aws.client("glue").create_job(Name=name, Role="arn:aws:iam::000000000000:role/jobs", Command=command)


def build(opened: Environment) -> ExecuteInProcessResult:
    job = build_definitions(opened.contracts, lazy_ports(opened)).get_repository_def().get_job("build_events")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(instance=instance, partition_key=DAY, raise_on_error=False)


def test_a_run_publishes_what_a_glue_job_built(aws: AwsServer, tmp_path: Path) -> None:
    environ = {**environment(tmp_path), **CREDENTIALS}
    script = STARTS_THE_JOB.format(python=str(PYTHON), job=str(JOB), environ=environ)
    create_job(aws, tmp_path, "transform", script)
    opened = lake(aws, tmp_path, "transform")

    result = build(opened)

    (run,) = aws.client("glue").get_job_runs(JobName="transform")["JobRuns"]
    assert (result.success, run["JobRunState"]) == (True, "SUCCEEDED"), run["ErrorMessage"]
    (file,) = opened.tables.files("events", DAY)
    local = tmp_path / "published.parquet"
    with opened.store.open(file.removeprefix(opened.store.uri(""))) as source:
        local.write_bytes(source.read())
    rows = duckdb.execute(f"SELECT id, s FROM read_parquet('{local}') ORDER BY id").fetchall()
    assert rows == [(1, "new"), (2, None)]


def test_a_glue_run_that_fails_is_named_and_tried_again_later(aws: AwsServer, tmp_path: Path) -> None:
    create_job(aws, tmp_path, "fails", FAILS)
    opened = lake(aws, tmp_path, "fails")

    assert not build(opened).success

    attempt = opened.ledger.last_attempt("events", DAY)
    assert attempt is not None
    assert attempt.failure_class is FailureClass.TRANSIENT
    assert "Glue job fails ended without a result" in str(attempt.error)
    assert "no workers left" in str(attempt.error)


def test_doctor_says_whether_the_job_is_there(aws: AwsServer, tmp_path: Path) -> None:
    opened = lake(aws, tmp_path, "looked-for")

    before = check_spark(opened.settings, tmp_path)
    create_job(aws, tmp_path, "looked-for", FAILS)
    after = check_spark(opened.settings, tmp_path)

    assert (before.state, before.found) == ("broken", "there is no glue://looked-for")
    assert (after.state, after.found) == ("good", "glue://looked-for")


def test_doctor_says_whether_spark_can_run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(tmp_path, (), spark=SparkPlace(name=str(PYTHON)))

    assert check_spark(settings, tmp_path).state == "good"
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "but no Java" in check_spark(settings, tmp_path).found
