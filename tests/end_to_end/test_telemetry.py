"""With SLUICE_LOGS=json standard output holds nothing but JSON, of every process of `sluice up` and of `sluice run`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pytestmark = [pytest.mark.daemon, pytest.mark.xdist_group("telemetry")]

CHECKOUT = Path(__file__).parents[2]
DATASETS = CHECKOUT / "tests" / "cases" / "datasets"
COMMAND = (sys.executable, "-c", "from pipeline_assets.cli import main; main()")
ROW = '{"sale_id": 1, "shop": "a", "amount": 2.5}\n'
PASSWORD = "hunter2-hunter2"


def variables(home: Path, **further: str) -> dict[str, str]:
    own = {"SLUICE_HOME": str(home), "SLUICE_PROJECT_DATASETS": str(home / "datasets")}
    return {**os.environ, **own, "SLUICE_LOGS": "json", "SLUICE_METRICS": "emf", **further}


def land(home: Path, text: str = ROW) -> None:
    shutil.copytree(DATASETS / "sales", home / "datasets" / "sales", dirs_exist_ok=True)
    folder = home / "raw/sales/date=2026-11-03"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".a").write_text(text)
    (folder / ".a").replace(folder / "a.jsonl")


def run(home: Path, *arguments: str, **further: str) -> subprocess.CompletedProcess[str]:
    called = [*COMMAND, *arguments]
    return subprocess.run(
        called, cwd=CHECKOUT, env=variables(home, **further), capture_output=True, text=True, check=False
    )


def lines(text: str) -> Sequence[Any]:
    return [json.loads(line) for line in text.splitlines()]


def measured(found: Sequence[Any], what: str) -> Sequence[Any]:
    return [item for item in found if item.get("measured") == what]


def test_a_run_writes_json_and_each_build_once(tmp_path: Path) -> None:
    land(tmp_path)

    done, again = run(tmp_path, "run"), run(tmp_path, "run", "--json")

    (build,) = measured(lines(done.stdout), "build")
    told = [item for item in lines(done.stdout) if item.get("run") == build["run"]]
    assert (build["dataset"], build["partition"], build["RowsPublished"]) == ("sales", "2026-11-03", 1)
    assert len(told) > 10
    assert {(item["dataset"], item["partition"]) for item in told} == {("sales", "2026-11-03")}
    assert (done.stderr, done.returncode) == ("", 0)
    assert (again.stdout, again.returncode) == ("[]\n", 0)  # the answer has standard output for itself
    assert measured(lines(again.stderr), "build") == []


def test_what_went_wrong_is_told_with_its_incident_and_what_became_right_with_its_times(tmp_path: Path) -> None:
    land(tmp_path, "no record\n")
    failed = lines(run(tmp_path, "run").stdout)
    time.sleep(1.1)  # what was just written waits for the next look
    land(tmp_path)

    healed = lines(run(tmp_path, "run").stdout)

    (opened,) = [item for item in failed if item.get("logger") == "sluice.incidents"]
    (resolved,) = measured(healed, "incident")
    assert (opened["dataset"], opened["partition"]) == ("sales", "2026-11-03")
    assert resolved["incident"] == opened["incident"]
    assert resolved["SecondsToResolve"] > 1
    assert measured(failed, "build") == []


def test_an_error_is_a_line_without_its_password(tmp_path: Path) -> None:
    land(tmp_path)
    url = f"postgresql+psycopg2://sluice:{PASSWORD}@127.0.0.1:1/ledger"

    done = run(tmp_path, "run", SLUICE_LEDGER_URL=url)

    assert done.returncode == 1
    assert "The ledger cannot be opened" in done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr


def test_every_process_of_the_service_writes_json(tmp_path: Path) -> None:
    home, output = tmp_path / "home", tmp_path / "out"
    land(home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with output.open("wb") as written, (tmp_path / "err").open("wb") as errors:
        up = subprocess.Popen(
            [*COMMAND, "up", "--port", str(port)], cwd=CHECKOUT, env=variables(home), stdout=written, stderr=errors
        )
    try:
        wait_until(lambda: "Stop with" in output.read_text())
        wait_until(lambda: '"measured":"build"' in output.read_text())
        wait_until(lambda: "Finished execution of run" in output.read_text())
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(90)

    found = lines(output.read_text())
    (build,) = measured(found, "build")
    by_logger = {item["logger"] for item in found if "logger" in item}
    worker = {item["process"] for item in found if item.get("run") == build["run"] and "process" in item}
    others = {item["process"] for item in found if item.get("logger", "").startswith("dagster.daemon")}
    assert {"sluice", "dagster", "dagster.daemon", "dagster.code_server", "dagster-webserver"} <= by_logger
    assert len(worker) == 1
    assert worker.isdisjoint(others)
    assert len(set(output.read_text().splitlines())) == len(found)
    assert [path.read_text() for path in sorted((home / "logs").glob("*.log"))] == ["", "", ""]
    assert (tmp_path / "err").read_text() == ""


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.25)
