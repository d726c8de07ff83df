from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline_assets.cli.conftest import Command

GOOD = """\
apiVersion: v3.2.0
kind: DataContract
id: trips
name: trips
version: 1.0.0
status: active
servers:
  - {server: landing, type: local, path: "trips/date={date}/*.csv", format: csv}
schema:
  - name: trips
    logicalType: object
    physicalType: table
    properties:
      - {name: trip_id, logicalType: integer, required: true}
"""
DERIVED = """\
apiVersion: v3.2.0
kind: DataContract
id: trip_counts
name: trip_counts
version: 1.0.0
status: active
schema:
  - name: trip_counts
    logicalType: object
    physicalType: table
    properties:
      - {name: trips, logicalType: integer}
"""


def declare(folder: Path, text: str, transform: str | None = None) -> Path:
    folder.mkdir(parents=True)
    contract = folder / "contract.yaml"
    contract.write_text(text)
    _ = (folder / "transform.sql").write_text(transform) if transform else None
    return contract


def test_right_contracts_pass(sluice: Command) -> None:
    declare(sluice.datasets / "trips", GOOD)

    result = sluice("contracts", "check")

    assert result.exit_code == 0
    assert result.stdout == "Contracts are right.\n"


def test_every_problem_is_shown_with_its_line(sluice: Command) -> None:
    wrong = GOOD.replace("logicalType: integer", "logicalType: intger").replace("format: csv", "format: cvs")
    declare(sluice.datasets / "trips", wrong)

    result = sluice("contracts", "check")

    assert result.exit_code == 3
    assert "datasets/trips/contract.yaml:8: " in result.stdout
    assert "datasets/trips/contract.yaml:14: " in result.stdout
    assert 'Did you mean "integer"?' in result.stdout
    assert "2 problems" in result.stdout


def test_problems_are_an_array_of_objects(sluice: Command) -> None:
    contract = declare(sluice.datasets / "trips", GOOD.replace("logicalType: integer", "logicalType: intger"))

    result = sluice("contracts", "check", "--json")

    (problem,) = json.loads(result.stdout)
    assert result.exit_code == 3
    assert (problem["path"], problem["line"]) == (str(contract), 14)
    assert set(problem) == {"path", "line", "field", "problem", "cure"}


def test_no_problem_is_an_empty_array(sluice: Command) -> None:
    assert sluice.rows("contracts", "check") == []


@pytest.mark.parametrize("asked", ["elsewhere/trips/contract.yaml", "elsewhere/trips", "elsewhere"])
def test_a_contract_outside_the_configured_folders_can_be_checked(sluice: Command, tmp_path: Path, asked: str) -> None:
    declare(tmp_path / "elsewhere/trips", GOOD.replace("logicalType: integer", "logicalType: intger"))

    assert sluice("contracts", "check").exit_code == 0
    assert sluice("contracts", "check", asked).exit_code == 3


def test_only_what_was_asked_for_is_reported(sluice: Command) -> None:
    declare(sluice.datasets / "trips", GOOD.replace("logicalType: integer", "logicalType: intger"))
    other = declare(sluice.datasets / "rides", GOOD.replace("trips", "rides"))

    assert sluice("contracts", "check", other).exit_code == 0


def test_a_transform_that_reads_an_unknown_table_is_a_problem(sluice: Command) -> None:
    declare(sluice.datasets / "trips", GOOD)
    declare(sluice.datasets / "trip_counts", DERIVED, "SELECT count(*) AS trips FROM tripz\n")

    result = sluice("contracts", "check")

    assert result.exit_code == 3
    assert "datasets/trip_counts/transform.sql: SQL: line 1" in result.stdout
    assert 'Did you mean "trips"?' in result.stdout


def test_a_path_that_does_not_exist_is_wrong_usage(sluice: Command) -> None:
    result = sluice("contracts", "check", "nowhere")

    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_other_commands_refuse_to_work_with_a_wrong_contract(sluice: Command, tmp_path: Path) -> None:
    declare(sluice.datasets / "trips", GOOD.replace("logicalType: integer", "logicalType: intger"))

    result = sluice("land", "trips", tmp_path / "a.csv")

    assert result.exit_code == 3
    assert "contract.yaml:14" in result.stderr
