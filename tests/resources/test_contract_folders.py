"""Datasets are found in folders; whatever is wrong with a folder is told by its path."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from resources.contract_folders import fetch_contracts
from sluice.errors import ContractInvalid, ContractProblems

DEMO = Path(__file__).parents[2] / "pipeline_assets" / "datasets"

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: {name}
version: 1.0.0
{servers}
schema:
  - name: {name}
    properties:
      - {{name: id, logicalType: integer}}
"""
SERVERS = "servers: [{{type: local, path: '{name}/{{date}}/*', format: jsonl}}]"


def declare(folder: Path, name: str, *, servers: str = SERVERS) -> Path:
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(CONTRACT.format(name=name, servers=servers.format(name=name, date="{date}")))
    return folder


def problem_of(*folders: Path) -> ContractInvalid:
    with pytest.raises(ContractProblems) as refused:
        fetch_contracts(folders)
    (problem,) = refused.value.problems
    return problem


def test_the_demo_has_four_datasets_with_owners() -> None:
    contracts = fetch_contracts([DEMO])

    assert [*contracts] == ["customers", "daily_revenue", "orders", "payments"]
    assert {contract.start for contract in contracts.values()} == {date(2026, 11, 1)}
    assert all(contract.owner and contract.support for contract in contracts.values())


def test_a_transform_is_read_beside_its_contract(tmp_path: Path) -> None:
    folder = declare(tmp_path / "totals", "totals", servers="")
    (folder / "transform.sql").write_text("select 1 as id")

    assert fetch_contracts([tmp_path])["totals"].transform_sql == "select 1 as id"


def test_datasets_of_several_folders_are_taken_together(tmp_path: Path) -> None:
    declare(tmp_path / "one" / "events", "events")
    declare(tmp_path / "two" / "clicks", "clicks")

    assert {*fetch_contracts([tmp_path / "one", tmp_path / "two"])} == {"events", "clicks"}


def test_files_and_hidden_folders_are_no_datasets(tmp_path: Path) -> None:
    declare(tmp_path / "events", "events")
    (tmp_path / ".git").mkdir()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "README.md").write_text("Datasets.")

    assert [*fetch_contracts([tmp_path])] == ["events"]


def test_no_folder_holds_no_dataset() -> None:
    assert fetch_contracts([]) == {}


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    problem = problem_of(tmp_path / "nowhere")

    assert problem.path == str(tmp_path / "nowhere")
    assert "SLUICE_DATASETS" in problem.cure


def test_a_folder_without_a_contract_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "contract.yml").write_text("id: events")

    assert problem_of(tmp_path).path == str(tmp_path / "events" / "contract.yaml")


def test_a_folder_is_called_as_its_dataset(tmp_path: Path) -> None:
    declare(tmp_path / "happenings", "events")

    problem = problem_of(tmp_path)

    assert "called happenings" in problem.problem
    assert "Rename the folder to events" in problem.cure


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    folder = declare(tmp_path / "events", "events")
    (folder / "contract.yaml").write_bytes(b"id: \xff")

    assert problem_of(tmp_path).path == str(folder)


def test_a_dataset_in_two_folders_is_refused(tmp_path: Path) -> None:
    declare(tmp_path / "one" / "events", "events")
    declare(tmp_path / "two" / "events", "events")

    problem = problem_of(tmp_path / "one", tmp_path / "two")

    assert (problem.path, problem.field) == (str(tmp_path / "two" / "events" / "contract.yaml"), "id")


def test_every_problem_of_every_folder_is_told(tmp_path: Path) -> None:
    declare(tmp_path / "events", "events", servers="")
    (tmp_path / "empty").mkdir()

    with pytest.raises(ContractProblems) as refused:
        fetch_contracts([tmp_path, tmp_path / "nowhere"])

    assert [Path(problem.path).relative_to(tmp_path).parts[0] for problem in refused.value.problems] == [
        "empty",
        "nowhere",
        "events",
    ]
