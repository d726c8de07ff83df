"""A breaker through the real commands: run holds, status and breakers say so, a corrected contract goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline_assets.cli.conftest import Command

pytestmark = pytest.mark.long

DAYS = ("2026-11-03", "2026-11-04", "2026-11-05")
TRIPS = """\
apiVersion: v3.2.0
kind: DataContract
id: trips
version: 1.0.0
servers:
  - {type: local, path: "trips/date={date}/*.jsonl", format: jsonl}
schema:
  - name: trips
    properties:
      - {name: trip_id, logicalType: integer, required: true, primaryKey: true}
"""
COUNTED = """\
apiVersion: v3.2.0
kind: DataContract
id: counted
version: 1.0.0
schema:
  - name: counted
    properties:
      - {name: trips, logicalType: integer, required: true}
customProperties:
  - property: sluice
    value:
      healing: {breaker: {failures: 2}}
"""
WRONG, RIGHT = "SELECT CAST('x' || count(*) AS BIGINT) AS trips FROM trips", "SELECT count(*) AS trips FROM trips"


@pytest.fixture
def failing(sluice: Command, tmp_path: Path) -> Command:
    """Three partitions of a derived dataset whose query is wrong; two failures open its breaker."""
    (sluice.datasets / "trips").mkdir()
    (sluice.datasets / "counted").mkdir()
    (sluice.datasets / "trips/contract.yaml").write_text(TRIPS)
    (sluice.datasets / "counted/contract.yaml").write_text(COUNTED)
    (sluice.datasets / "counted/transform.sql").write_text(WRONG)
    (tmp_path / "one.jsonl").write_text('{"trip_id": 1}\n')
    for day in DAYS:
        assert sluice("land", "trips", tmp_path / "one.jsonl", "--date", day).exit_code == 0
    return sluice


def test_run_holds_what_an_open_breaker_holds_and_a_corrected_query_goes_on(failing: Command) -> None:
    run = failing("run")
    (breaker,) = failing.rows("breakers")
    states = [item["state"] for item in failing.rows("status", "--dataset", "counted")]
    shown = failing("status", "--dataset", "counted").stdout

    assert run.exit_code == 1
    assert "2 failed, 1 held" in run.stdout
    assert "dataset counted: 2 failures in a row, code, so nothing is launched" in run.stdout
    assert (breaker["breaker"], breaker["state"], breaker["class"]) == ("dataset counted", "open", "code")
    assert (breaker["failures"], breaker["held"]) == (2, 1)
    assert states == ["failed", "failed", "held"]
    assert "dataset counted: 2 failures in a row" in shown
    assert "Held: 1 partition." in shown
    assert "dataset counted" in failing("breakers").stdout

    (failing.datasets / "counted/transform.sql").write_text(RIGHT)

    assert failing("run").exit_code == 0
    assert failing.rows("breakers") == []
    assert failing("breakers").stdout == "Every breaker is closed.\n"
    every = {item["breaker"]: item["state"] for item in failing.rows("breakers", "--all")}
    assert (every["dataset counted"], every["source raw zone"], every["warehouse"]) == ("closed", "closed", "closed")
