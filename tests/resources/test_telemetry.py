"""Processes write whole lines of JSON, whoever logs and however: each test asks a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKOUT = Path(__file__).parents[2]
BEGIN = """
import logging, logging.config, os, sys, threading, warnings
from datetime import UTC, datetime
from resources.telemetry import METRICS, keep_telemetry, writes_json
from resources.telemetry_settings import TelemetrySettings
from sluice.telemetry.measured import measured_freshness
MEASURED = {"measured": measured_freshness("orders", [], datetime(2026, 11, 21, tzinfo=UTC))}
"""
JSON = "keep_telemetry(TelemetrySettings(are_logs_json=True, namespace='Sluice'))\n"


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=False, cwd=CHECKOUT
    )


def lines(code: str) -> Sequence[Any]:
    """Return what the process wrote, all of which is JSON."""
    done = run(JSON + code)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_line_is_written_once_though_many_loggers_see_it() -> None:
    found = lines(
        "logging.getLogger('dagster').addHandler(logging.StreamHandler())\n"
        "logging.getLogger('dagster.daemon').addHandler(logging.StreamHandler(sys.stdout))\n"
        "logging.getLogger('dagster.daemon').warning('told %s', 'once')\n"
    )

    assert [(item["logger"], item["level"], item["message"]) for item in found] == [
        ("dagster.daemon", "WARNING", "told once")
    ]


@pytest.mark.parametrize("first", [JSON, ""], ids=["after", "before"])
def test_loggers_that_are_configured_at_any_time_write_json(first: str) -> None:
    config = (
        "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False,"
        "'handlers': {'c': {'class': 'logging.StreamHandler', 'stream': sys.stdout}},"
        "'loggers': {'uvicorn': {'handlers': ['c'], 'level': 'INFO', 'propagate': False}}})\n"
    )
    done = run(first + config + JSON + "logging.getLogger('uvicorn').info('hello')\n")

    assert json.loads(done.stdout)["message"] == "hello"
    assert done.stderr == ""


def test_handlers_that_write_elsewhere_stay(tmp_path: Path) -> None:
    found = lines(
        f"logging.getLogger('a').addHandler(logging.FileHandler({str(tmp_path / 'a.log')!r}))\n"
        "logging.getLogger('a').warning('both')\n"
    )

    assert [item["message"] for item in found] == ["both"]
    assert (tmp_path / "a.log").read_text() == "both\n"


def test_exceptions_warnings_and_what_ends_the_process_are_lines() -> None:
    found = lines(
        "try:\n    raise ValueError('x://a:hunter2@h') from KeyError('b')\n"
        "except ValueError:\n    logging.getLogger('sluice').exception('it broke')\n"
        "warnings.warn('odd')\n"
        "def die(): raise OSError('thread')\n"
        "thread = threading.Thread(target=die); thread.start(); thread.join()\n"
        "raise RuntimeError('the end')\n"
    )

    assert [item["message"].split("\n")[0] for item in found] == [
        "it broke",
        "<string>:13: UserWarning: odd",
        "A thread ended.",
        "It ended.",
    ]
    assert [item["exception"]["type"] for item in found if "exception" in item] == [
        "ValueError",
        "OSError",
        "RuntimeError",
    ]
    assert "KeyError: 'b'" in found[0]["exception"]["stack"]
    assert "x://a:***@h" in found[0]["exception"]["stack"]


def test_lines_of_dagster_say_run_dataset_and_partition_and_carry_the_error_of_a_step() -> None:
    found = lines(
        "import dagster as dg\n"
        "@dg.op(name='tables__orders')\n"
        "def step(context):\n"
        "    context.log.info('hello')\n"
        "    raise ValueError('postgresql://u:hunter2@h/x')\n"
        "@dg.job\n"
        "def build(): step()\n"
        "tags = {'sluice/dataset': 'orders', 'dagster/partition': '2026-11-20'}\n"
        "build.execute_in_process(tags=tags, raise_on_error=False)\n"
    )

    (hello,) = [item for item in found if item["message"] == "hello"]
    failed = next(item for item in found if "exception" in item)
    assert (hello["dataset"], hello["partition"], hello["job"]) == ("orders", "2026-11-20", "build")
    assert hello["run"] == failed["run"]
    assert (failed["level"], failed["step"]) == ("ERROR", "tables__orders")
    assert failed["exception"]["type"] == "ValueError"
    assert "hunter2" not in json.dumps(found)


def test_metrics_are_lines_between_the_others() -> None:
    found = lines(
        "METRICS.info('freshness', extra=MEASURED)\n"
        "logging.getLogger('sluice').info('hello')\n"
        "METRICS.info('freshness', extra=MEASURED)\n"
    )

    assert [item.get("measured") or item["message"] for item in found] == ["freshness", "hello", "freshness"]


def test_metrics_alone_leave_logs_as_they_are() -> None:
    done = run(
        "keep_telemetry(TelemetrySettings(namespace='Sluice'))\n"
        "METRICS.info('freshness', extra=MEASURED)\n"
        "logging.warning('for people')\n"
        "print(writes_json())\n"
    )

    metric, answer = done.stdout.splitlines()
    assert json.loads(metric)["measured"] == "freshness"
    assert answer == "False"
    assert done.stderr == "WARNING:root:for people\n"


@pytest.mark.parametrize("settings", ["", "are_logs_json=True"], ids=["off", "logs alone"])
def test_without_metrics_nobody_needs_to_measure(settings: str) -> None:
    done = run(
        f"keep_telemetry(TelemetrySettings({settings}))\n"
        "METRICS.info('freshness', extra=MEASURED)\n"
        "print(METRICS.isEnabledFor(logging.INFO))\n"
    )

    assert done.stdout == "False\n"


def test_what_dagster_redirects_while_a_step_works_does_not_take_the_lines_along(tmp_path: Path) -> None:
    found = lines(
        f"os.dup2(os.open({str(tmp_path / 'captured')!r}, os.O_CREAT | os.O_WRONLY), 1)\n"
        "logging.getLogger('sluice').info('hello')\n"
        "print('printed', flush=True)\n"
    )

    assert [item["message"] for item in found] == ["hello"]
    assert (tmp_path / "captured").read_text() == "printed\n"


def test_lines_of_many_processes_are_never_mixed() -> None:
    found = lines(
        "for child in range(4):\n"
        "    if os.fork() == 0:\n"
        "        for number in range(50):\n"
        "            logging.getLogger('sluice').info('%s %s %s', child, number, 'x' * 6_000)\n"
        "        os._exit(0)\n"
        "for _ in range(4): os.wait()\n"
    )

    assert len(found) == 200
    assert len({item["process"] for item in found}) == 4


def test_a_module_of_somebody_else_runs_with_our_logs() -> None:
    code = "import logging; logging.getLogger('uvicorn').warning('hello')"
    done = subprocess.run(
        [sys.executable, "-m", "resources.logged", "timeit", "-n1", "-r1", code],
        env={"SLUICE_LOGS": "json", "PATH": "", "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
    )

    assert json.loads(done.stdout.splitlines()[0])["message"] == "hello"
