"""A forked worker finds everything imported: what it still imports by itself is time between a file and its rows."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository

from resources.dagster_home import prepare_dagster_home
from resources.forking_launcher import CAN_FORK
from tests.end_to_end.test_kill_points import DATASETS, DAY, land
from tests.end_to_end.test_service import wait_for

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CAN_FORK, reason="runs are launched as Dagster does by default"),
]

CHECKOUT = Path(__file__).parents[2]
PRELOADED = "- pipeline_assets.cli.preload\n"
OWN = {"dagster", "dagster_shared", "duckdb", "pipeline_assets", "pyarrow", "pydantic", "pyiceberg", "resources",
       "rich", "sluice", "sqlalchemy", "sqlglot", "structlog", "upath"}  # fmt: skip
FEW = 15
"""Modules of a few lines each, which the definitions import while they are loaded."""


def test_a_run_imports_hardly_anything_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("SLUICE_HOME", str(home))
    monkeypatch.setenv("SLUICE_DATASETS", str(DATASETS))
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    land(home)
    configuration = prepare_dagster_home(home / "dagster") / "dagster.yaml"
    probed = PRELOADED + "      - tests.end_to_end.imports_probe\n"
    configuration.write_text(configuration.read_text().replace(PRELOADED, probed))

    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        run_id = launch(instance)
        assert wait_for((home / "imported").exists, 60)
        run = instance.get_run_by_id(run_id)

    imported = {name for name in (home / "imported").read_text().split() if name.split(".")[0] in OWN}
    assert run
    assert run.status is dg.DagsterRunStatus.SUCCESS, json.dumps(run.tags)
    assert len(imported) < FEW, sorted(imported)
    assert not [name for name in imported if name.startswith(("sluice", "resources", "pipeline_assets"))]


def launch(instance: dg.DagsterInstance) -> str:
    repository = ReconstructableRepository.for_module("pipeline_assets.definitions", "defs", str(CHECKOUT))
    job = repository.get_reconstructable_job("build_sales")
    run = instance.create_run_for_job(
        job.get_definition(), tags={"dagster/partition": DAY}, job_code_origin=job.get_python_origin()
    )
    instance.launch_run(run.run_id, workspace=None)  # type: ignore[arg-type]  # only a code server's runs need it
    return run.run_id
