"""`kill -9` while something is let stand in, then `sluice run`: every late partition shows it once, flagged."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline_assets.cli.environment import Environment
from pipeline_assets.cli.headless import run_until_quiet
from resources.clock import ManualClock
from resources.settings import Settings
from resources.warehouse import Warehouse
from sluice.healing.incident import RemedyKind
from tests.end_to_end.test_kill_points import DATASETS, KILLED_RUN

PROMISE = """slaProperties: [{property: timeOfAvailability, value: "00:00", valueExt: Etc/UTC}]
customProperties:
  - property: sluice
    value:
      healing: {stand_in: previous_partition}
"""
NEAR = timedelta(minutes=5)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """One partition has landed; the two after it are late, the newer one since midnight."""
    wait_out_midnight()
    contract = (DATASETS / "sales" / "contract.yaml").read_text()
    folder = tmp_path / "datasets" / "sales"
    folder.mkdir(parents=True)
    head = contract[: contract.index("customProperties:")]
    (folder / "contract.yaml").write_text(f"{head}{PROMISE}      start: {day(3)}\n")
    landed = tmp_path / f"raw/sales/date={day(3)}"
    landed.mkdir(parents=True)
    (landed / "a.jsonl").write_text('{"sale_id": 1, "shop": "s", "amount": 1}\n')
    return tmp_path


def wait_out_midnight() -> None:
    """Another partition is late from then on: it must not come in the middle of a test."""
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    time.sleep((midnight - now).total_seconds() if midnight - now < NEAR else 0)


def day(ago: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=ago)).isoformat()


def environment_at(home: Path) -> Environment:
    clock = ManualClock(datetime.now(UTC) + timedelta(minutes=1))  # past the wait before the next try
    return Environment(Settings(home, (home / "datasets",)), clock, home)


@pytest.mark.long
@pytest.mark.parametrize("point", ["ledger.record_stand_in.before", "ledger.record_stand_in.after"])
def test_a_killed_stand_in_is_made_once_more(home: Path, point: str) -> None:
    command = [sys.executable, "-c", KILLED_RUN, str(home), str(home / "datasets"), point]
    killed = subprocess.run(command, check=False, capture_output=True, cwd=Path(__file__).parents[2])
    environment = environment_at(home)

    summary = run_until_quiet(environment, on_progress=lambda _: None)

    rows = Warehouse(environment.tables, lambda _: (), home / "scratch").query(
        "SELECT partition_date::VARCHAR AS day, sale_id, _sluice_status AS status FROM sales ORDER BY day"
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    assert summary.failed == ()
    assert [tuple(row.values()) for row in rows.to_pylist()] == [
        (day(3), 1, None),
        (day(2), 1, "placeholder"),
        (day(1), 1, "placeholder"),
    ]
    recorded = {item.outcome.partition: item.outcome.stand_in for item in environment.ledger.all_published("sales")}
    text = f"previous_partition {day(3)}"
    assert recorded == {day(3): None, day(2): text, day(1): text}
    (incident,) = environment.ledger.incidents("sales", open_only=True)
    assert incident.partition == day(1)
    assert [item.kind for item in incident.remedies] == [RemedyKind.USE_FALLBACK]
