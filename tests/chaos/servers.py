"""The real code server and daemon, killed at will and started again by hand: nobody else may know why they died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil  # type: ignore[import-untyped]

from pipeline_assets.cli.pulse import Pulse
from resources.dagster_home import prepare_dagster_home
from resources.fork_server import WORKER_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

CHECKOUT = Path(__file__).resolve().parents[2]
_DEAD_SECONDS = 1.0
_WORKSPACE = """\
load_from:
  - grpc_server:
      socket: {socket}
      location_name: chaos
"""


class Servers:
    """`revive` starts what has been dead for a moment; leaving the block ends every process of the home."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home = home
        self._socket = folder / "code.sock"
        self._workspace = folder / "workspace.yaml"
        self._workspace.write_text(_WORKSPACE.format(socket=self._socket))
        self._logs = home / "logs"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._dead_since: dict[str, float] = {}
        self._pulse: Pulse | None = None

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        prepare_dagster_home(self.home / "dagster")
        self._start("code")
        until = time.monotonic() + 120
        while not self._socket.exists() and time.monotonic() < until:
            time.sleep(0.2)
        self._start("daemon")
        self._pulse = Pulse(self._socket)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        self.kill_all()

    def kill(self, name: str) -> None:
        """Kill a server; the runs that it started go on."""
        workers = self.workers()
        for process in self._family(name):
            if process.pid not in {worker.pid for worker in workers}:
                kill(process)

    def kill_all(self) -> None:
        """Kill whatever works for this home, as a power cut does."""
        for process in self.processes():
            kill(process)
        for running in self._running.values():
            running.wait()

    def revive(self) -> None:
        # A fault may kill the process that evaluates sensors; the one that was started then answers nothing, and lives.
        if self._pulse and self._pulse.is_lost():
            self.kill("code")
            self._pulse.forget()
        now = time.monotonic()
        for name, process in self._running.items():
            if process.poll() is None:
                self._dead_since.pop(name, None)
            elif now - self._dead_since.setdefault(name, now) > _DEAD_SECONDS:
                self._start(name)
                return

    def workers(self) -> list[psutil.Process]:
        """Return the processes that execute runs."""
        return [process for process in self.processes() if _name_of(process) == WORKER_NAME]

    def processes(self) -> list[psutil.Process]:
        mark = str(self.home)
        return [process for process in psutil.process_iter() if _home_of(process) == mark]

    def _family(self, name: str) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._running[name].pid)
            return [process, *process.children(recursive=True)]
        return []

    def _start(self, name: str) -> None:
        if name == "code":
            self._socket.unlink(missing_ok=True)
        commands = {
            "code": ["dagster", "code-server", "start", "--socket", str(self._socket), "--module-name",
                     "tests.chaos.definitions", "--working-directory", str(CHECKOUT), "--location-name", "chaos"],
            "daemon": ["resources.prompt_daemon", "run", "--workspace", str(self._workspace)],
        }  # fmt: skip
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", *commands[name]],
                cwd=CHECKOUT,
                env=self._variables(),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _variables(self) -> Mapping[str, str]:
        home = str(self.home)
        return {**os.environ, "DAGSTER_HOME": f"{home}/dagster", "SLUICE_HOME": home, "PYTHONUNBUFFERED": "1"}


def kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()


def _name_of(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return str(process.name())
    return ""


def _home_of(process: psutil.Process) -> str | None:
    with suppress(psutil.Error):
        return str(process.environ().get("SLUICE_HOME"))
    return None
