"""A build whose process is killed is told at least once, and twice only if that was between telling and recording."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
RECORD = """
import os, signal, sys
import resources.measured_ledger
from resources.sql_ledger import SqlLedger
from resources.telemetry import keep_telemetry
from resources.telemetry_settings import TelemetrySettings
from tests.resources.test_measured_ledger import DAY, NOON, PUBLISHED, VERSION

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

url, run, moment = sys.argv[1:]
keep_telemetry(TelemetrySettings(namespace="Sluice"))
inner = SqlLedger(url)
inner.begin("orders", DAY, VERSION, run, NOON)
if moment == "before it is told":
    resources.measured_ledger.measured_build = die
if moment == "before it is recorded":
    inner.record = die
resources.measured_ledger.measured(inner).record(PUBLISHED)
if moment == "after it is recorded":
    die()
"""


def record(folder: Path, run: str, moment: str = "") -> tuple[int, list[float]]:
    """Return how the process ended, and the retries of each build that it told."""
    done = subprocess.run(
        [sys.executable, "-c", RECORD, f"sqlite:///{folder / 'ledger.db'}", run, moment],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
    )
    return done.returncode, [json.loads(line)["Retries"] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("moment", "first", "second"),
    [
        ("before it is told", [], [1]),
        ("before it is recorded", [0], [1]),
        ("after it is recorded", [0], []),
    ],
)
def test_a_killed_build_is_told_when_it_is_done_again(
    tmp_path: Path, moment: str, first: list[float], second: list[float]
) -> None:
    assert record(tmp_path, "run-1", moment) == (-signal.SIGKILL, first)
    assert record(tmp_path, "run-2") == (0, second)
