"""From files in S3 to answers of Athena, through the commands a person types, against a server on this machine."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.end_to_end.test_aws import ORDERS, Command
from tests.projected_tables import lay_out

if TYPE_CHECKING:
    from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws

DATASETS = Path(__file__).parents[2] / "pipeline_assets" / "datasets"
PER_FILE = 500 - 20 - 25


@pytest.fixture
def sluice(aws: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The project's datasets, orders with a plain table; bucket, database and workgroup are there, as in an account."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(DATASETS, tmp_path / "datasets")
    contract = tmp_path / "datasets" / "orders" / "contract.yaml"
    text = contract.read_text()
    assert "      start:" in text
    contract.write_text(text.replace("      start:", "      plain_table: true\n      start:", 1))
    bucket = aws.new_bucket(f"lake-{uuid4().hex}", versioned=True)
    database = f"lake_{uuid4().hex[:8]}"
    aws.client("glue").create_database(DatabaseInput={"Name": database})
    results = {"OutputLocation": f"s3://{bucket}/athena/"}
    aws.client("athena").create_work_group(
        Name=database, Configuration={"ResultConfiguration": results, "BytesScannedCutoffPerQuery": 10_000_000_000}
    )
    environ = {
        "SLUICE_HOME": str(tmp_path / "home"),
        "SLUICE_PROJECT_DATASETS": str(tmp_path / "datasets"),
        "SLUICE_ENV": "aws",
        "SLUICE_STORE": f"s3://{bucket}/prod",
        "SLUICE_AWS_REGION": "eu-central-1",
        "SLUICE_AWS_ENDPOINT": aws.endpoint,
        "SLUICE_GLUE_DATABASE": database,
        "SLUICE_ATHENA_WORKGROUP": database,
    }
    return Command(tmp_path / "home", environ)


def laid_out(sluice: Command, aws: AwsServer) -> Command:
    """Return the command in a database where ministack's Athena can read what Athena itself would."""
    into = f"laid_out_{uuid4().hex[:8]}"
    lay_out(aws, sluice.environ["SLUICE_GLUE_DATABASE"], "orders_plain", into)
    return Command(sluice.home, {**sluice.environ, "SLUICE_GLUE_DATABASE": into})


def test_athena_and_duckdb_answer_alike(sluice: Command, aws: AwsServer) -> None:
    sluice.rows(*ORDERS, "--dates", "2026-11-03..2026-11-04")

    ran = sluice("run")

    assert ran.exit_code == 0, ran.output
    ask = "select {day} as day, count(*) as orders, sum(amount) as amount from {table} group by 1 order by 1"
    here = sluice.rows("query", ask.format(day="cast(partition_date as varchar)", table="orders"))
    there = laid_out(sluice, aws)(
        "query", "--engine", "athena", "--json", ask.format(day="partition_date", table="orders_plain")
    )
    assert there.exit_code == 0, there.output
    assert json.loads(there.stdout) == here
    assert [row["orders"] for row in here] == [4 * PER_FILE] * 2
    assert "Athena read" in there.stderr
    assert "$0.0000477" in there.stderr  # the least that Athena bills: 10 MB


def test_maintenance_works_on_tables_in_glue(sluice: Command) -> None:
    sluice.rows(*ORDERS, "--dates", "2026-11-03")
    sluice("run")

    maintained = sluice("maintain", "orders")

    assert maintained.exit_code == 0, maintained.output
    assert sluice.rows("query", "select count(*) as orders from orders") == [{"orders": 4 * PER_FILE}]


def test_a_planned_backfill_builds_under_the_changed_contract(sluice: Command) -> None:
    sluice.rows(*ORDERS, "--dates", "2026-11-02..2026-11-04")
    sluice("run")
    contract = sluice.home.parent / "datasets" / "orders" / "contract.yaml"
    contract.write_text(contract.read_text().replace("minimum: 0 ", "minimum: -1000000000 "))
    planned, *_ = sluice.rows("plan", "backfill", "orders")

    started = sluice("backfill", "start", planned["plan"], "--here")

    assert started.exit_code == 0, started.output
    assert "2026-11-02 to 2026-11-03, 2 partitions" in started.output  # a chunk, behind the canary
    (found,) = sluice.rows("query", "select count(*) as orders from orders")
    assert found["orders"] > 3 * 4 * PER_FILE
    assert "Nothing to build" in sluice("plan", "backfill", "orders").output


def test_an_overwritten_partition_is_exchanged_in_both_tables_and_taken_back_in_both(
    sluice: Command, aws: AwsServer
) -> None:
    sluice.rows(*ORDERS, "--dates", "2026-11-03")
    sluice("run")
    before = datetime.now(UTC).isoformat()
    sluice.rows("generate", "orders", "--dates", "2026-11-03", "--rows-per-file", 60, "--seed", 8)
    sluice("run")
    counted = "select count(*) as orders from {}"
    more = sluice.rows("query", counted.format("orders"))
    more_there = laid_out(sluice, aws).rows("query", "--engine", "athena", counted.format("orders_plain"))

    rewound = sluice("rewind", "orders", "--to", before, "--why", "sent too early")

    assert rewound.exit_code == 0, rewound.output
    shown = sluice.rows("query", counted.format("orders"))
    assert more_there == more != shown == [{"orders": 4 * PER_FILE}]
    assert shown == laid_out(sluice, aws).rows("query", "--engine", "athena", counted.format("orders_plain"))


def test_quarantined_records_return_under_a_corrected_contract(sluice: Command) -> None:
    sluice.rows(*ORDERS, "--dates", "2026-11-03")
    sluice("run")
    contract = sluice.home.parent / "datasets" / "orders" / "contract.yaml"
    text = contract.read_text().replace("minimum: 0 ", "minimum: -1000000000 ")
    contract.write_text(text.replace("\nversion: 1.0.0", "\nversion: 1.1.0"))

    (row,) = sluice.rows("redrive", "orders")

    assert row["returned"] > 0
    assert sluice.rows("query", "select count(*) as orders from orders") == [{"orders": 4 * PER_FILE + row["returned"]}]
    left = sluice.rows("query", "select count(*) as records from quarantine.orders")
    assert left == [{"records": 4 * 20 - row["returned"]}]


def test_a_file_that_was_landed_by_hand_is_built_and_explained(sluice: Command, tmp_path: Path) -> None:
    sluice("generate", "orders", "--dates", "2026-11-03", "--bad-share", 0.02, "--to", tmp_path / "made")
    (file,) = (tmp_path / "made").rglob("*.jsonl.gz")
    landed = sluice("land", "orders", file, "--date", "2026-11-04")
    sluice("run")

    assert landed.exit_code == 0, landed.output
    (state,) = sluice.rows("status")
    assert (state["partition"], state["state"]) == ("2026-11-04", "published")
    assert sum(row["records"] for row in sluice.rows("quarantine", "list")) == state["quarantined"] > 0
    assert "files and contract agree" in sluice("drift", "orders").output
    assert sluice("docs").exit_code == 0


def test_doctor_looks_at_tables_and_athena(sluice: Command) -> None:
    states = {row["what"]: row["state"] for row in sluice.rows("doctor")}

    assert (states["tables"], states["athena"]) == ("good", "good")


@pytest.mark.parametrize(
    ("changed", "what", "says"),
    [
        pytest.param({"SLUICE_GLUE_DATABASE": "nowhere"}, "tables", "aws glue create-database", id="database"),
        pytest.param({"SLUICE_ATHENA_WORKGROUP": "nobodys"}, "athena", "aws athena create-work-group", id="workgroup"),
        pytest.param({"SLUICE_ATHENA_WORKGROUP": "primary"}, "athena", "BytesScannedCutoffPerQuery=", id="no limit"),
    ],
)
def test_doctor_tells_what_is_missing_with_the_command_that_makes_it(
    sluice: Command, changed: dict[str, str], what: str, says: str
) -> None:
    (found,) = [
        row for row in Command(sluice.home, {**sluice.environ, **changed}).rows("doctor") if row["what"] == what
    ]

    assert found["state"] == "advice"
    assert says in found["cure"]


def test_athena_without_glue_is_refused_with_its_cure(tmp_path: Path) -> None:
    refused = Command(tmp_path, {"SLUICE_HOME": str(tmp_path)})("query", "--engine", "athena", "select 1")

    assert refused.exit_code == 2
    assert "query with --engine duckdb" in " ".join(refused.stderr.split())


def test_a_workgroup_without_a_limit_is_refused_with_its_cure(sluice: Command) -> None:
    refused = Command(sluice.home, {**sluice.environ, "SLUICE_ATHENA_WORKGROUP": "primary"})(
        "query", "--engine", "athena", "select 1"
    )

    assert refused.exit_code == 2
    assert "does not limit what one query may read" in refused.stderr
