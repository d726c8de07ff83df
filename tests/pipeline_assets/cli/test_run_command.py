"""One small dataset through the real command: land, run, status, query, quarantine."""

from __future__ import annotations

import base64
import json
import os
import time
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING

import pytest

from tests.pipeline_assets.cli.conftest import Command

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: trips
name: trips
version: 1.0.0
status: active
servers:
  - {server: landing, type: local, path: "trips/date={date}/*.jsonl", format: jsonl}
schema:
  - name: trips
    logicalType: object
    physicalType: table
    properties:
      - {name: trip_id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: started_at, logicalType: timestamp, required: true}
      - {name: fare, logicalType: number, physicalType: "decimal(8,2)"}
      - {name: note, logicalType: string}
customProperties:
  - property: sluice
    value: {order_by: started_at}
"""
BROKEN = b'{"trip_id": 4, "note": "caf\xc3\xa9" \x1b oops'
FIRST = b"\n".join(
    [
        b'{"trip_id": 1, "started_at": "2026-11-01T08:00:00+02:00", "fare": 10.10, "note": "first"}',
        b'{"trip_id": 2, "started_at": "2026-11-01T09:00:00Z", "fare": 7}',
        b'{"trip_id": 1, "started_at": "2026-11-01T08:30:00Z", "fare": 12.50, "note": "corrected"}',
        BROKEN,
        b'{"started_at": "2026-11-01T10:00:00Z", "fare": "free"}',
    ]
)
SECOND = b'{"trip_id": 9, "started_at": "2026-11-02T08:00:00Z", "fare": 1}\n'


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A home in which both dates have landed and been run."""
    folder = tmp_path_factory.mktemp("shop")
    sluice = Command(folder / "home", folder / "datasets")
    declare(sluice, CONTRACT)
    land(sluice, folder, "2026-11-01", FIRST)
    land(sluice, folder, "2026-11-02", SECOND)
    result = sluice("run")
    assert result.exit_code == 0, result.output
    return sluice


def declare(sluice: Command, contract: str) -> None:
    (sluice.datasets / "trips").mkdir(parents=True, exist_ok=True)
    (sluice.datasets / "trips/contract.yaml").write_text(contract)


def land(sluice: Command, folder: Path, date: str, content: bytes) -> None:
    file = folder / f"{date}.jsonl"
    file.write_bytes(content)
    result = sluice("land", "trips", file, "--replace")
    assert result.exit_code == 0, result.output


def test_status_says_where_every_record_went(shop: Command) -> None:
    assert shop.rows("status") == [
        {
            "dataset": "trips",
            "partition": "2026-11-01",
            "state": "published",
            "records_in": 5,
            "published": 2,
            "quarantined": 2,
            "duplicates": 1,
            "error": None,
            "stand_in": None,
            "changed": [],
        },
        {
            "dataset": "trips",
            "partition": "2026-11-02",
            "state": "published",
            "records_in": 1,
            "published": 1,
            "quarantined": 0,
            "duplicates": 0,
            "error": None,
            "stand_in": None,
            "changed": [],
        },
    ]


def test_a_second_run_changes_nothing_and_says_so(shop: Command) -> None:
    before = shop("status", "--json").stdout

    result = shop("run")

    assert result.exit_code == 0
    assert "Nothing to do" in result.stdout
    assert shop.rows("run") == []
    assert shop("status", "--json").stdout == before


def test_what_is_later_than_the_clock_is_named_and_left_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline_assets.cli.headless._PATIENCE", 0)
    sluice = Command(tmp_path / "home", tmp_path / "datasets")
    declare(sluice, CONTRACT)
    land(sluice, tmp_path, "2026-11-01", FIRST)
    (file,) = (tmp_path / "home/raw").rglob("*.jsonl")
    ahead = time.time() + 40
    os.utime(file, (ahead, ahead))

    result = sluice("run")

    assert result.exit_code == 0
    assert "raw/trips/date=2026-11-01/2026-11-01.jsonl: just written, or later than this clock" in result.stderr
    assert [item["state"] for item in sluice.rows("status")] == ["pending"]


@pytest.mark.parametrize(
    ("options", "partitions"),
    [
        pytest.param(["--partition", "2026-11-02"], ["2026-11-02"], id="partition"),
        pytest.param(["--dataset", "trips"], ["2026-11-01", "2026-11-02"], id="dataset"),
        pytest.param(["--dataset", "orders"], [], id="dataset without files"),
        pytest.param(["--state", "published"], ["2026-11-01", "2026-11-02"], id="state"),
        pytest.param(["--state", "failed"], [], id="state that none is in"),
    ],
)
def test_status_can_be_narrowed(shop: Command, options: list[str], partitions: list[str]) -> None:
    assert [row["partition"] for row in shop.rows("status", *options)] == partitions


@pytest.mark.parametrize("options", [["--dataset", "tripz"], ["--state", "fine"]])
def test_status_of_what_does_not_exist_is_wrong_usage(shop: Command, options: list[str]) -> None:
    assert shop("status", *options).exit_code == 2


def test_status_prints_a_table_for_people(shop: Command) -> None:
    lines = shop("status").stdout.splitlines()

    assert lines[-1] == "2 partitions: 2 published"
    assert max(len(line) for line in lines) <= 100


def test_query_prints_rows_with_exact_values(shop: Command) -> None:
    result = shop("query", "SELECT * FROM trips WHERE partition_date = DATE '2026-11-01' ORDER BY trip_id", "--json")

    rows = json.loads(result.stdout, parse_float=Decimal)
    assert rows == [
        {
            "trip_id": 1,
            "started_at": "2026-11-01T08:30:00Z",
            "fare": Decimal("12.50"),
            "note": "corrected",
            "partition_date": "2026-11-01",
        },
        {
            "trip_id": 2,
            "started_at": "2026-11-01T09:00:00Z",
            "fare": Decimal("7.00"),
            "note": None,
            "partition_date": "2026-11-01",
        },
    ]


def test_query_prints_csv(shop: Command) -> None:
    result = shop("query", "SELECT trip_id, fare, note, partition_date FROM trips ORDER BY trip_id LIMIT 2", "--csv")

    assert result.stdout == "trip_id,fare,note,partition_date\n1,12.50,corrected,2026-11-01\n2,7.00,,2026-11-01\n"


def test_query_reads_sql_from_standard_input(shop: Command) -> None:
    result = shop("query", "-", "--csv", stdin="SELECT count(*) AS n FROM trips")

    assert result.stdout == "n\n3\n"


def test_query_keeps_columns_of_one_name_apart(shop: Command) -> None:
    (row,) = shop.rows("query", "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a")

    assert row == {"a": 1, "a_3": 2, "a_2": 3, "a_4": 4}


def test_a_printed_table_says_when_it_is_not_all(shop: Command) -> None:
    result = shop("query", "SELECT trip_id FROM trips", "--limit", "2")

    assert "2 of 3 rows; --limit 0 prints all of them." in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["SELECT * FROM tripz"], 'Did you mean "trips"?', id="unknown table"),
        pytest.param(["SELEC 1"], "SELEC", id="no SQL"),
        pytest.param(["DROP TABLE trips"], "", id="write"),
        pytest.param(["SELECT 1", "--json", "--csv"], "choose one of --csv and --json", id="two formats"),
    ],
)
def test_a_query_that_cannot_be_answered_is_wrong_usage(shop: Command, arguments: list[str], says: str) -> None:
    result = shop("query", *arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert says in " ".join(result.stderr.split())


def test_quarantine_is_counted_by_object_and_reason(shop: Command) -> None:
    rows = shop.rows("quarantine", "list")

    assert {tuple(row) for row in rows} == {("dataset", "partition", "object", "reason", "column", "records")}
    assert {(row["partition"], row["object"], row["reason"], row["column"], row["records"]) for row in rows} == {
        ("2026-11-01", "raw/trips/date=2026-11-01/2026-11-01.jsonl", "malformed_json", None, 1),
        ("2026-11-01", "raw/trips/date=2026-11-01/2026-11-01.jsonl", "required", "trip_id", 1),
        ("2026-11-01", "raw/trips/date=2026-11-01/2026-11-01.jsonl", "wrong_type", "fare", 1),
    }


@pytest.mark.parametrize(
    ("options", "count"),
    [
        pytest.param(["--reason", "malformed_json"], 1, id="reason"),
        pytest.param(["--date", "2026-11-02"], 0, id="date without rejects"),
        pytest.param(["--dataset", "orders"], 0, id="other dataset"),
    ],
)
def test_quarantine_list_can_be_narrowed(shop: Command, options: list[str], count: int) -> None:
    assert len(shop.rows("quarantine", "list", *options)) == count


def test_a_rejected_record_is_shown_with_its_bytes_place_and_reasons(shop: Command) -> None:
    first, second = sorted(shop.rows("quarantine", "show", "trips"), key=itemgetter("line"))

    assert (first["object"], first["line"]) == ("raw/trips/date=2026-11-01/2026-11-01.jsonl", 4)
    assert base64.b64decode(first["base64"]) == BROKEN
    assert first["text"] == '{"trip_id": 4, "note": "caf\u00e9" \\x1b oops'
    assert len(first["etag"]) == 32
    assert (second["line"], [reason["code"] for reason in second["reasons"]]) == (5, ["required", "wrong_type"])
    assert second["reasons"][1] == {"code": "wrong_type", "column": "fare", "value": "free"}


def test_a_rejected_record_is_readable(shop: Command) -> None:
    result = shop("quarantine", "show", "trips", "--reason", "required")

    assert "trips 2026-11-01  raw/trips/date=2026-11-01/2026-11-01.jsonl  line 5" in result.stdout
    assert "wrong_type fare: free" in result.stdout
    assert '{"started_at": "2026-11-01T10:00:00Z", "fare": "free"}' in result.stdout


def test_at_most_as_many_records_are_shown_as_asked_for(shop: Command) -> None:
    assert len(shop.rows("quarantine", "show", "trips", "--limit", "1")) == 1


def test_an_empty_quarantine_says_so(shop: Command) -> None:
    result = shop("quarantine", "show", "trips", "--date", "2026-11-02")

    assert (result.exit_code, result.stdout) == (0, "Nothing is in quarantine there.\n")


def test_landed_files_are_pending_until_they_are_run(sluice: Command, tmp_path: Path) -> None:
    declare(sluice, CONTRACT)
    land(sluice, tmp_path, "2026-11-01", FIRST)

    first = sluice.rows("status")
    again = sluice.rows("status")

    assert [(row["partition"], row["state"], row["records_in"]) for row in first] == [("2026-11-01", "pending", 0)]
    assert again == first


def test_an_overwritten_file_makes_its_partition_stale_and_only_that_is_built_again(
    sluice: Command, tmp_path: Path
) -> None:
    declare(sluice, CONTRACT)
    land(sluice, tmp_path, "2026-11-01", FIRST)
    land(sluice, tmp_path, "2026-11-02", SECOND)
    sluice("run")
    land(sluice, tmp_path, "2026-11-02", SECOND + SECOND.replace(b"9", b"10"))

    stale = [(row["partition"], row["state"]) for row in sluice.rows("status")]
    run = sluice.rows("run")

    assert stale == [("2026-11-01", "published"), ("2026-11-02", "stale")]
    assert [(row["partition"], row["effect"], row["error"]) for row in run] == [("2026-11-02", "committed", None)]


def test_a_partition_that_fails_is_an_exit_code_and_a_state(sluice: Command, tmp_path: Path) -> None:
    declare(sluice, CONTRACT)
    land(sluice, tmp_path, "2026-11-02", SECOND)
    sluice("run")
    declare(sluice, CONTRACT.replace("name: note, logicalType: string", "name: note, logicalType: integer"))
    land(sluice, tmp_path, "2026-11-02", SECOND + b"\n")

    result = sluice("run")

    (row,) = sluice.rows("status")
    assert result.exit_code == 1
    assert "0 partitions changed, 1 failed" in result.stdout
    assert row["state"] == "failed"
    assert "note" in row["error"]
    assert row["published"] == 1
