"""The way of files from S3 to answers, through the commands a person types, against a server on this machine."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from pipeline_assets.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws

ORDERS = ("generate", "orders", "--files", 4, "--rows-per-file", 500, "--bad-share", 0.04, "--duplicate-share", 0.05)


@dataclass(frozen=True)
class Command:
    home: Path
    environ: dict[str, str]

    def __call__(self, *arguments: object) -> Result:
        return CliRunner().invoke(app, [str(item) for item in arguments], env=self.environ)

    def rows(self, *arguments: object) -> list[dict[str, Any]]:
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.output
        rows: list[dict[str, Any]] = json.loads(result.stdout)
        return rows


@pytest.fixture
def sluice(aws: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    bucket = aws.new_bucket(f"lake-{uuid4().hex}", versioned=True)
    environ = {
        "SLUICE_HOME": str(tmp_path / "home"),
        "SLUICE_ENV": "aws",
        "SLUICE_STORE": f"s3://{bucket}/prod",
        "SLUICE_AWS_REGION": "eu-central-1",
        "SLUICE_AWS_ENDPOINT": aws.endpoint,
    }
    return Command(tmp_path / "home", environ)


def test_files_in_s3_become_answers(sluice: Command) -> None:
    said = sluice.rows(*ORDERS, "--dates", "2026-11-03..2026-11-04")

    ran = sluice("run")

    assert ran.exit_code == 0, ran.output
    assert sluice.rows(
        "query", "select partition_date as day, count(*) as orders from orders group by 1 order by 1"
    ) == [{"day": day, "orders": 4 * (500 - 20 - 25)} for day in ("2026-11-03", "2026-11-04")]
    rejected = sluice.rows("query", "select object, count(*) as records from quarantine.orders group by 1 order by 1")
    assert rejected == [{"object": item["key"], "records": item["bad"]} for item in said]
    assert not list(sluice.home.glob("**/*.parquet"))  # nothing of it is kept on this machine
    assert not list((sluice.home / "scratch").iterdir())


def test_what_was_built_is_not_built_again(sluice: Command) -> None:
    sluice(*ORDERS, "--dates", "2026-11-03")
    sluice("run")

    again = sluice("run")

    assert again.exit_code == 0
    assert "nothing" in again.stdout.lower()


def test_a_derived_table_is_made_of_tables_in_s3(sluice: Command) -> None:
    for dataset in ("orders", "customers"):
        sluice("generate", dataset, "--dates", "2026-11-03", "--rows-per-file", 300)

    ran = sluice("run")

    assert ran.exit_code == 0, ran.output
    (derived,) = sluice.rows("query", "select sum(orders) as orders from daily_revenue")
    (counted,) = sluice.rows("query", "select count(*) as orders from orders where status <> 'cancelled'")
    assert derived["orders"] == counted["orders"] > 0


def test_an_overwritten_object_is_built_again(sluice: Command, aws: AwsServer) -> None:
    (said,) = sluice.rows("generate", "orders", "--dates", "2026-11-03", "--rows-per-file", 100)
    sluice("run")
    bucket, _, prefix = sluice.environ["SLUICE_STORE"].removeprefix("s3://").partition("/")
    (other,) = sluice.rows(
        *("generate", "orders", "--dates", "2026-11-03", "--rows-per-file", 60, "--seed", 8, "--to", "s3://" + bucket)
    )
    client = aws.client("s3")
    client.copy_object(Bucket=bucket, Key=f"{prefix}/{said['key']}", CopySource=f"{bucket}/{other['key']}")

    ran = sluice("run")

    assert ran.exit_code == 0, ran.output
    assert sluice.rows("query", "select count(*) as orders from orders") == [{"orders": 60}]


def test_what_is_published_is_built_again_from_s3_and_found_the_same(sluice: Command) -> None:
    sluice(*ORDERS, "--dates", "2026-11-03")
    sluice("run")

    (row,) = sluice.rows("replay", "orders", "--from", "2026-11-03")

    assert row["result"].partition(":")[0] == "same", row
    assert (row["rows"], row["in_quarantine"]) == (row["built_again"], row["rejected_again"]) == (4 * 455, 4 * 20)


def test_one_more_object_is_added_to_what_was_built_of_the_others(sluice: Command, aws: AwsServer) -> None:
    sluice(*ORDERS, "--dates", "2026-11-03")
    sluice("run")
    bucket, _, prefix = sluice.environ["SLUICE_STORE"].removeprefix("s3://").partition("/")
    (more,) = sluice.rows(
        *("generate", "orders", "--dates", "2026-11-03", "--rows-per-file", 60, "--seed", 8, "--to", "s3://" + bucket)
    )
    client = aws.client("s3")
    client.copy_object(Bucket=bucket, Key=f"{prefix}/raw/{more['key']}", CopySource=f"{bucket}/{more['key']}")

    ran = sluice("run")

    assert ran.exit_code == 0, ran.output
    (row,) = sluice.rows("replay", "orders", "--from", "2026-11-03")
    assert row["result"].partition(":")[0] == "same", row
    assert row["objects"] == 5


def test_a_bucket_that_is_not_there_stops_the_command_with_its_cure(sluice: Command) -> None:
    environ = {**sluice.environ, "SLUICE_STORE": "s3://not-there-at-all"}

    stopped = Command(sluice.home, environ)("run")

    assert stopped.exit_code == 1
    assert 'There is no bucket "not-there-at-all"' in stopped.stderr
    assert "sluice doctor" in stopped.stderr


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        pytest.param("SLUICE_STORE", "", "Set it to s3://BUCKET", id="no store"),
        pytest.param("SLUICE_STORE", "lake", "is no place in S3", id="no URL"),
        pytest.param("SLUICE_ENV", "local", "but SLUICE_ENV is local", id="local"),
        pytest.param("SLUICE_AWS_REGION", "", "region of the bucket", id="no region"),
        pytest.param("SLUICE_AWS_ENDPOINT", "localhost", "is no URL", id="no endpoint"),
    ],
)
def test_settings_that_do_not_fit_are_refused(sluice: Command, variable: str, value: str, says: str) -> None:
    os.environ.pop("AWS_REGION", None)

    refused = Command(sluice.home, {**sluice.environ, variable: value})("status")

    assert refused.exit_code == 2
    assert says in " ".join(refused.stderr.split())
