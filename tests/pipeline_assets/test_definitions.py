"""The door for Dagster: what it loads, and what loading must not cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]

LOAD = """
import json, sys
from pipeline_assets.definitions import defs
definitions = defs()
repository = definitions.get_repository_def()
repository.load_all_definitions()  # as a code server does: only here are two ops of one name refused
print(json.dumps({
    "jobs": sorted(name for name in repository.job_names if not name.startswith("__")),
    "sensors": {sensor.name: sensor.default_status.value for sensor in repository.sensor_defs},
    "modules": sorted(sys.modules),
}))
"""


def load(home: Path) -> dict[str, object]:
    variables = {**os.environ, "SLUICE_HOME": str(home), "SLUICE_DATASETS": ""}
    command = [sys.executable, "-W", "error", "-c", LOAD]
    answer = subprocess.run(command, cwd=CHECKOUT, env=variables, capture_output=True, text=True, check=True)
    loaded: dict[str, object] = json.loads(answer.stdout)
    return loaded


def test_every_dataset_has_a_job_and_the_sensors_are_on(tmp_path: Path) -> None:
    loaded = load(tmp_path)

    assert loaded["jobs"] == [
        "audit",
        "build_customers",
        "build_daily_revenue",
        "build_orders",
        "build_payments",
        "chunk_customers",
        "chunk_daily_revenue",
        "chunk_orders",
        "chunk_payments",
        "maintenance",
        "redrive",
        "replay",
        "stand_in",
    ]
    sensors = (
        "arrivals",
        "audits",
        "automation",
        "backfills",
        "freshness",
        "notices",
        "orphans",
        "reopening",
        "reprocessing",
        "retries",
        "stand_ins",
    )
    assert loaded["sensors"] == dict.fromkeys(sensors, "RUNNING")


def test_loading_opens_nothing(tmp_path: Path) -> None:
    load(tmp_path / "home")

    assert not (tmp_path / "home").exists()


def test_loading_imports_nothing_heavy(tmp_path: Path) -> None:
    """Servers load the definitions, and each import is a delay: 0.3 s beyond Dagster's own, measured."""
    modules = load(tmp_path)["modules"]

    assert isinstance(modules, list)
    heavy = {"boto3", "dagster_graphql", "great_expectations", "pandas", "pyarrow", "pyiceberg", "sqlalchemy"}
    assert heavy & set(modules) == set()
