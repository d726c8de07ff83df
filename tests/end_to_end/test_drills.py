"""Every drill is healed by the real daemon, and its timeline is what the ledger says. `make test-daemon`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_assets.cli.drills import DRILLS
from pipeline_assets.cli.drills.stage import play
from pipeline_assets.cli.environment import Environment
from resources.clock import SystemClock
from resources.settings import Settings
from resources.sql_ledger import SqlLedger
from sluice.timeline import BY_SLUICE, fetch_timeline
from tests.end_to_end.test_service import processes_of, wait_for

if TYPE_CHECKING:
    from contextlib import ExitStack
    from datetime import datetime

    from pipeline_assets.cli.drills.scene import Drill, Scene

pytestmark = pytest.mark.daemon

CHECKOUT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from pipeline_assets.cli import main; main()", "drill"]
DATASETS = ("drill_sales",)

LOOKED_FOR = {
    "rate-limit": ("upstream_unavailable", {"retry_later"}),
    "late-file": ("upstream_missing", {"use_fallback", "reconciled"}),
    "schema-drift": ("schema_drift", {"quarantine"}),
    "warehouse-down": ("sink_unavailable", {"retry_later", "open_breaker"}),
    "crash": ("transient", {"retry_later"}),
    "poison": ("quality", {"serve_last_good"}),
}


def variables(tmp_path: Path) -> dict[str, str]:
    """Sandboxes are made in the test's own folder."""
    return {**os.environ, "TMPDIR": str(tmp_path)}


@pytest.mark.parametrize("name", DRILLS)
def test_a_drill_is_healed_and_its_timeline_is_that_of_the_ledger(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, name, "--json", "--keep"],
        cwd=CHECKOUT, env=variables(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    (played,) = json.loads(done.stdout)

    assert (done.returncode, played["healed"], played["missing"]) == (0, True, None), done.stdout
    happenings, home = played["happenings"], Path(played["home"])
    ledger = SqlLedger(Settings(home, ()).ledger_url)
    assert [told_of(item) for item in happenings if item["who"] == BY_SLUICE] == [
        in_json(item) for item in fetch_timeline(ledger, DATASETS)
    ]
    assert [item["at"] for item in happenings] == sorted(item["at"] for item in happenings)
    failure_class, remedies = LOOKED_FOR[name]
    assert failure_class in {item["class"] for item in happenings}
    assert remedies <= {item["remedy"] for item in happenings}
    assert [item.resolved_at for item in ledger.incidents() if item.resolved_at is None] == []
    assert wait_for(lambda: not processes_of(home), 10)


def told_of(item: dict[str, Any]) -> tuple[object, ...]:
    return tuple(item[name] for name in ("at", "what", "dataset", "partition", "class", "remedy", "outcome"))


def in_json(item: Any) -> tuple[object, ...]:
    kinds = (item.failure_class and str(item.failure_class), item.remedy and str(item.remedy), item.outcome or None)
    return (item.at.isoformat(), item.what, item.dataset, item.partition, *kinds)


def unhealable(drill: Drill, told: str, instead: str) -> Drill:
    """Return the drill with a contract that says something else."""

    def build(stack: ExitStack, now: datetime) -> Scene:
        scene = drill.build(stack, now)
        (contract,) = scene.contracts.values()
        assert told in contract
        return replace(scene, contracts=dict.fromkeys(scene.contracts, contract.replace(told, instead)))

    return replace(drill, build=build)


def test_without_retries_the_crash_is_not_healed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    here = Environment(Settings(tmp_path / "home", ()), SystemClock(), tmp_path, dict(os.environ))
    drill = unhealable(DRILLS["crash"], "transient: { most: 5,", "transient: { most: 0,")

    played = play(drill, here, seconds=120, keep=False)

    assert not played.is_healed
    assert played.missing == "waited 120 s for this: the death is noticed, and a retry decided"
    assert "escalate" in {item.remedy for item in played.happenings}
    assert played.home.exists()


def test_a_limit_that_is_too_short_fails_the_drill_and_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "poison", "--limit", "1"],
        cwd=CHECKOUT, env=variables(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "Not healed: waited 1 s for this: the good records are published"
    (home,) = tmp_path.glob("sluice-poison-*")
    assert f"SLUICE_HOME={home}" in done.stdout


def test_ctrl_c_leaves_neither_a_process_nor_a_sandbox(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "crash"],
        cwd=CHECKOUT, env=variables(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 180
    while not (homes := list(tmp_path.glob("sluice-crash-*/logs/daemon.log"))) and time.monotonic() < until:
        time.sleep(0.2)
    home = homes[0].parents[1]

    process.send_signal(signal.SIGINT)

    assert process.wait(90) != 0
    assert wait_for(lambda: not processes_of(home), 10)
    assert not home.exists()
