"""Who reads a table is told wherever the table is about to change, through the real command."""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from pipeline_assets.asset_specs import Zone, asset_spec, daily_partitions
from resources.contract_folders import fetch_contracts

if TYPE_CHECKING:
    from tests.pipeline_assets.cli.conftest import Command

CASES = Path(__file__).parents[2] / "cases" / "datasets"
DAY = "2026-11-03"
CONSUMER = '      consumers: [{name: Finance, contact: finance@example.com, use: "the closing"}]\n'
BOARD = "      consumers: [{name: Board}]\n"
TOLD = ("Finance (finance@example.com) reads sales for the closing", "Board reads sales_totals")


@pytest.fixture
def datasets(sluice: Command) -> Path:
    shutil.copytree(CASES, sluice.datasets, dirs_exist_ok=True)
    for name, text in (("sales", CONSUMER), ("sales_totals", BOARD)):
        path = sluice.datasets / name / "contract.yaml"
        path.write_text(path.read_text() + text)
    return sluice.datasets


def land(sluice: Command, amount: str) -> None:
    path = sluice.home / f"raw/sales/date={DAY}/a.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{"sale_id": 1, "shop": "north", "amount": {amount}}}\n')
    landed = time.time() - 3600
    os.utime(path, (landed, landed))


def test_the_table_names_its_consumers_in_dagster(datasets: Path) -> None:
    contract = fetch_contracts([datasets])["sales"]

    spec = asset_spec(Zone.TABLES, contract, daily_partitions(contract.start))

    assert isinstance(spec, dg.AssetSpec)
    assert spec.metadata["consumers"] == TOLD[0]


@pytest.mark.long
def test_plans_rewinds_and_incidents_tell_them(sluice: Command, datasets: Path) -> None:
    land(sluice, "2.5")
    planned = sluice("plan", "backfill", "sales").stdout
    sluice.rows("run")
    then = datetime.now(UTC).isoformat()
    land(sluice, "7")
    sluice.rows("run")
    closed = datasets / "sales" / "contract.yaml"
    closed.write_text(f"{closed.read_text()}      gates: {{rejected_share_is_acceptable: {{limit: 0.1}}}}\n")
    land(sluice, "null")
    sluice("run")

    rewind = sluice("rewind", "sales", "--to", then, "--dry-run").stdout
    incident = sluice("incidents", "show", "1", "--markdown").stdout
    shown = sluice("incidents", "show", "1").stdout

    assert [text in planned for text in TOLD] == [True, True]
    assert [text in rewind for text in TOLD] == [True, True]
    assert [text in shown for text in TOLD] == [True, True]
    assert "Board reads sales\\_totals" in incident
