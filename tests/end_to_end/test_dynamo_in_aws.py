"""The ledger in DynamoDB, through the commands a person types and the permissions of docs/aws.md."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from pipeline_assets.cli.app import app
from resources.dynamo_ledger import DynamoLedger
from resources.dynamo_ledger.opening import make_table
from resources.dynamo_place import DynamoPlace
from resources.failures import classify
from sluice.errors import StoreForbidden
from sluice.healing.failure import FailureClass
from tests.end_to_end.test_doctor_in_aws import become

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from tests.aws_server import AwsServer


pytestmark = [pytest.mark.aws, pytest.mark.xdist_group("aws")]

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WHAT_SLUICE_NEEDS = [
    *("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:ConditionCheckItem"),
    *("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
]


@dataclass(frozen=True)
class Command:
    server: AwsServer
    table: str
    environ: dict[str, str]

    def __call__(self, *arguments: object) -> Result:
        return CliRunner().invoke(app, [str(item) for item in arguments], env=self.environ)

    def ledger_rows(self, *options: str) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = json.loads(self("doctor", "--json", *options).stdout)
        return [row for row in rows if row["what"].startswith("ledger")]

    def processed(self) -> dict[str, Any]:
        """Return when each object below processed/ was written."""
        bucket = self.environ["SLUICE_STORE"].removeprefix("s3://")
        listed = self.server.client("s3").list_objects_v2(Bucket=bucket, Prefix="processed/")["Contents"]
        return {item["Key"]: item["LastModified"] for item in listed}

    def status(self, dataset: str, day: str) -> dict[str, Any]:
        key = {"pk": {"S": f"PARTITION#{dataset}#{day}"}, "sk": {"S": "STATUS"}}
        item = self.server.client("dynamodb").get_item(TableName=self.table, Key=key)["Item"]
        return {name: next(iter(value.values())) for name, value in item.items()}


def command(server: AwsServer, folder: Path) -> Command:
    table = f"ledger-{uuid4().hex}"
    environ = {
        "SLUICE_HOME": str(folder / "home"),
        "SLUICE_ENV": "aws",
        "SLUICE_STORE": f"s3://{server.new_bucket(f'lake-{uuid4().hex}', versioned=True)}",
        "SLUICE_AWS_REGION": "eu-central-1",
        "SLUICE_AWS_ENDPOINT": server.endpoint,
        "SLUICE_LEDGER_URL": f"dynamodb://{table}",
    }
    return Command(server, table, environ)


@pytest.fixture
def sluice(aws: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return command(aws, tmp_path)


def test_doctor_says_that_the_table_is_missing_and_makes_it_when_asked(sluice: Command) -> None:
    (missing,) = sluice.ledger_rows()
    assert (missing["state"], missing["cure"].endswith("sluice doctor --fix")) == ("broken", True)
    assert sluice("run").exit_code == 1

    (made,) = sluice.ledger_rows("--fix")

    assert made["state"] == "good"
    assert sluice.ledger_rows() == [made]


def test_doctor_completes_a_table_that_somebody_else_made(sluice: Command) -> None:
    keys = {"pk": "HASH", "sk": "RANGE"}
    sluice.server.client("dynamodb").create_table(
        TableName=sluice.table,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        BillingMode="PAY_PER_REQUEST",
    )

    assert [row["what"] for row in sluice.ledger_rows() if row["state"] == "advice"] == [
        "ledger's age",
        "ledger's backup",
    ]
    assert {row["state"] for row in sluice.ledger_rows("--fix")} == {"good"}


def test_a_run_keeps_its_ledger_in_the_table_alone(sluice: Command, tmp_path: Path) -> None:
    sluice("doctor", "--fix")
    sluice("generate", "orders", "--dates", "2026-11-03", "--files", 2, "--rows-per-file", 100)

    ran, again = sluice("run"), sluice("run")

    assert ran.exit_code == 0, ran.output
    assert "nothing" in again.stdout.lower()
    found = sluice.status("orders", "2026-11-03")
    assert (found["status"], found["objects"], found["retry_count"]) == ("published", "2", "0")
    assert int(found["rows"]) > 100
    assert not list((tmp_path / "home").glob("ledger.db*"))


def test_an_empty_ledger_finds_what_is_there_and_builds_nothing_twice(sluice: Command) -> None:
    before = Command(sluice.server, "", {**sluice.environ, "SLUICE_LEDGER_URL": ""})
    before("generate", "orders", "--dates", "2026-11-03", "--rows-per-file", 100)
    assert before("run").exit_code == 0
    built = sluice.processed()
    sluice("doctor", "--fix")

    moved = sluice("run")

    assert moved.exit_code == 0, moved.output
    assert sluice.status("orders", "2026-11-03")["status"] == "published"
    assert sluice.processed() == built


class TestWithPolicies:
    @pytest.fixture
    def place(self, guarded: AwsServer) -> DynamoPlace:
        place = DynamoPlace(guarded.place("lake"), f"ledger-{uuid4().hex}")
        make_table(place.s3.client("dynamodb"), place.table)
        return place

    def test_the_permissions_of_the_page_are_enough(
        self,
        guarded: AwsServer,
        place: DynamoPlace,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        become(guarded, monkeypatch, *WHAT_SLUICE_NEEDS)
        ledger = DynamoLedger(place)

        assert ledger.first_notice("key", NOON)
        assert not ledger.first_notice("key", NOON)
        assert ledger.begin("orders", "2026-11-20", "v", "run", NOON).number == 1
        assert len(ledger.open_attempts()) == 1

    def test_a_missing_permission_is_told_and_classified(
        self,
        guarded: AwsServer,
        place: DynamoPlace,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        become(guarded, monkeypatch, "dynamodb:Query")

        with pytest.raises(StoreForbidden, match="may not do GetItem on the DynamoDB table ledger-") as caught:
            DynamoLedger(place)

        assert classify(caught.value).failure_class is FailureClass.PERMISSION
