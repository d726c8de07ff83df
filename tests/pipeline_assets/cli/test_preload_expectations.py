"""What the fork server imports of Great Expectations."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from resources.fork_server import THREADLESS

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: sales
name: sales
version: 1.0.0
status: active
servers: [{{server: landing, type: local, path: "sales/date={{date}}/*.jsonl", format: jsonl}}]
schema:
  - name: sales
    logicalType: object
    physicalType: table
    properties: [{{name: amount, logicalType: integer}}]
    quality:
      - {{type: custom, engine: greatExpectations, implementation: {{type: {kind}, kwargs: {kwargs}}}}}
customProperties: [{{property: sluice, value: {{start: 2026-11-01}}}}]
"""
BY_SQL = CONTRACT.format(kind="expect_column_values_to_not_be_null", kwargs="{column: amount}")
BY_THE_LIBRARY = CONTRACT.format(
    kind="expect_column_value_z_scores_to_be_less_than", kwargs="{column: amount, threshold: 3, double_sided: true}"
)
PRELOAD = (
    "import os, sys, pipeline_assets.cli.preload_expectations as it;"
    "print('great_expectations' in sys.modules, len(os.listdir('/proc/self/task')))"
)


def preloaded(home: Path, contract: str) -> list[str]:
    """Return whether the library is there, and how many threads."""
    folder = home / "datasets" / "sales"
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(contract)
    variables = {**os.environ, **THREADLESS, "SLUICE_HOME": str(home), "SLUICE_DATASETS": str(folder.parent)}
    done = subprocess.run([sys.executable, "-c", PRELOAD], env=variables, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.split()


@pytest.mark.parametrize("contract", [BY_SQL, "not: a contract"], ids=["judged by SQL", "not readable"])
def test_a_contract_that_does_not_need_the_library_costs_nothing(tmp_path: Path, contract: str) -> None:
    assert preloaded(tmp_path, contract)[0] == "False"


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_a_contract_that_needs_the_library_has_it_imported_without_a_thread(tmp_path: Path) -> None:
    assert preloaded(tmp_path, BY_THE_LIBRARY) == ["True", "1"]
