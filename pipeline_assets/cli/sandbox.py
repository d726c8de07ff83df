"""A home of its own with the real servers, for drills: nothing of the user's is read, told or changed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline_assets.cli.environment import CHECKOUT, Environment
from resources.clock import SystemClock
from resources.contract_folders import CONTRACT_NAME
from resources.settings import fetch_settings
from sluice.errors import ServiceFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_COMMAND = (sys.executable, "-c", "from pipeline_assets.cli import main; main()")
_READY = "Stop with"  # the last line that `sluice up` says before it works
_START_SECONDS = 300
_STOP_SECONDS = 75  # three servers, each of which may take its time
_POLL_SECONDS = 0.25


def sandbox_variables(home: Path, environ: Mapping[str, str], further: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment of the sandbox's processes.

    What the user has set for Sluice and Dagster stays out: a ledger, routes of notices, secrets of sources.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith(("SLUICE_", "DAGSTER_"))}
    local = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    own = {"SLUICE_HOME": str(home), "SLUICE_PROJECT_DATASETS": str(home / "datasets")}
    return {**kept, **local, **own, **further}


def prepare_sandbox(home: Path, contracts: Mapping[str, str], variables: Mapping[str, str]) -> Environment:
    """Write the contracts and return the environment in which the servers will work."""
    for dataset, text in contracts.items():
        folder = home / "datasets" / dataset
        folder.mkdir(parents=True)
        (folder / CONTRACT_NAME).write_text(text, encoding="utf-8")
    return Environment(fetch_settings(variables, home), SystemClock(), home, variables)


@contextmanager
def serving(environment: Environment) -> Iterator[str]:
    """Run `sluice up` on this environment; yield the address of its web server. Raises ServiceFailed."""
    port = _free_port()
    log = environment.settings.home / "up.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [*_COMMAND, "up", "--port", str(port)],
            cwd=CHECKOUT,
            env=environment.environ,
            stdout=written,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop it when we are done
        )
    try:
        _wait_until_ready(process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(process)


def call(environment: Environment, *arguments: str) -> str:
    """Run a command of `sluice` in the sandbox, as a person would; return what it prints. Raises ServiceFailed."""
    done = subprocess.run(
        [*_COMMAND, *arguments],
        cwd=environment.settings.home,
        env=environment.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServiceFailed(
            f"sluice {' '.join(arguments)} failed: {done.stderr}{done.stdout}", cure="Read what it says."
        )
    return done.stdout


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into KeyboardInterrupt, which leaves through the context managers.

    Both are set, for a shell may have started us with Ctrl-C ignored.
    """
    stopping = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in stopping]
    try:
        yield
    finally:
        for number, handler in zip(stopping, before, strict=True):
            signal.signal(number, handler)


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Poll until it holds; return whether it did in time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    def is_ready() -> bool:
        return process.poll() is not None or _READY in log.read_text(errors="replace")

    in_time = wait_until(is_ready, _START_SECONDS)
    if not in_time or process.poll() is not None:
        what = "ended" if in_time else f"is not ready after {_START_SECONDS} seconds"
        raise ServiceFailed(
            f"The sandbox's `sluice up` {what}:\n{log.read_text(errors='replace')}",
            cure=f"Read the logs in {log.parent}, then try again.",
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
