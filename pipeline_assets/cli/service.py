"""Dagster with its servers, on one machine: a web server and a daemon that share one code server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pipeline_assets.cli.environment import CHECKOUT
from pipeline_assets.cli.left_runs import ask_again, fail_left_by_service
from pipeline_assets.cli.output import say
from resources.dagster_home import open_dagster
from resources.run_lock import hold_lock
from sluice.errors import ServiceFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipeline_assets.cli.environment import Environment

# Not below DAGSTER_HOME: Dagster's web server sends whatever is in DAGSTER_HOME/logs to its makers and then deletes it,
# with telemetry switched off as well (1.13.27, dagster/_core/telemetry_upload.py).
_LOGS = "logs"
_START_SECONDS = 180
_STOP_SECONDS = 15
_POLL_SECONDS = 0.25
_SHOWN_LINES = 15

_WORKSPACE = """\
load_from:
  - grpc_server:
      socket: {socket}
      location_name: sluice
"""


@dataclass(frozen=True, slots=True)
class _Server:
    name: str
    process: subprocess.Popen[bytes]
    log: Path


def serve(environment: Environment, *, host: str, port: int) -> None:
    """Run until Ctrl-C or SIGTERM; raises ServiceFailed when a server cannot start or ends by itself."""
    _require_free(host, port)
    environment.settings.raw.mkdir(parents=True, exist_ok=True)
    # Both are set, for a shell may have started us with Ctrl-C ignored, which our children would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    say("Starting Dagster; this takes some seconds ...")
    try:
        with (
            hold_lock(environment.settings.dagster_home / "service.lock", on_wait=_refuse_second),
            tempfile.TemporaryDirectory(prefix="sluice-up-") as folder,
            _stopping_all() as servers,
        ):
            _tidy(environment)
            _start_all(servers, environment, Path(folder), host, port)
            say(f"Web    http://{host}:{port}", style="bold")
            say(f"Files  {environment.settings.raw}: what lands there becomes rows (sluice land puts it in place)")
            say(f"Logs   {environment.settings.home / _LOGS}")
            say("Stop with Ctrl-C.")
            _wait(servers, lambda: False, seconds=None)
    except KeyboardInterrupt:
        say("Stopped.")


def _tidy(environment: Environment) -> None:
    """End what an earlier service left at work, and let the sensor ask for it again."""
    with open_dagster(environment.settings.dagster_home) as instance:
        if left := fail_left_by_service(instance, environment):
            say(f"{left} runs of an earlier `sluice up` had been killed; their partitions are built again.")
        ask_again(instance)


def _refuse_second() -> NoReturn:
    raise ServiceFailed("Another `sluice up` is at work on this SLUICE_HOME.", cure="Use that one, or stop it first.")


def _start_all(servers: list[_Server], environment: Environment, folder: Path, host: str, port: int) -> None:
    """Start the code server first: one process that loads the contracts, for the other two to ask."""
    code_socket, workspace = folder / "code.sock", folder / "workspace.yaml"
    workspace.write_text(_WORKSPACE.format(socket=code_socket))
    logs = environment.settings.home / _LOGS
    logs.mkdir(exist_ok=True)
    variables = _child_variables(environment)

    def start(name: str, *command: str) -> None:
        servers.append(_start(name, command, logs / f"{name}.log", variables))

    start("code", "dagster", "code-server", "start", "--socket", str(code_socket),
          "--module-name", "pipeline_assets.definitions", "--working-directory", str(CHECKOUT),
          "--location-name", "sluice")  # fmt: skip
    _wait(servers, code_socket.exists, seconds=_START_SECONDS)
    start("daemon", "resources.prompt_daemon", "run", "--workspace", str(workspace))
    start("webserver", "dagster_webserver", "--host", host, "--port", str(port), "--workspace", str(workspace))
    _wait(servers, lambda: _answers(host, port), seconds=_START_SECONDS)


def _child_variables(environment: Environment) -> Mapping[str, str]:
    settings = environment.settings
    return {
        **os.environ,
        "DAGSTER_HOME": str(settings.dagster_home),
        "SLUICE_HOME": str(settings.home),
        "SLUICE_DATASETS": os.pathsep.join(str(folder) for folder in settings.dataset_folders),
        "PYTHONUNBUFFERED": "1",
    }


def _start(name: str, command: Sequence[str], log: Path, variables: Mapping[str, str]) -> _Server:
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=CHECKOUT,
            env=variables,
            stdout=written,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop the others in order
        )
    return _Server(name, process, log)


def _wait(servers: Sequence[_Server], is_ready: Callable[[], bool], *, seconds: float | None) -> None:
    """Poll until ready; raises ServiceFailed as soon as any server has ended."""
    waited = 0.0
    while not is_ready():
        for server in servers:
            if server.process.poll() is not None:
                _fail(server, f"ended with status {server.process.returncode}")
        if seconds is not None and waited > seconds:
            _fail(servers[-1], f"did not answer within {seconds:.0f} seconds")
        time.sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS


def _fail(server: _Server, what: str) -> NoReturn:
    last_lines = server.log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
    shown = "".join(f"\n  {line}" for line in last_lines)
    raise ServiceFailed(f"Dagster's {server.name} server {what}.{shown}\n", cure=f"Read all of it in {server.log}")


@contextmanager
def _stopping_all() -> Iterator[list[_Server]]:
    """Stop whatever was started, newest first, and leave no process behind."""
    servers: list[_Server] = []
    try:
        yield servers
    finally:
        for server in reversed(servers):
            _stop(server)


def _stop(server: _Server) -> None:
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGINT)
        try:
            server.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"The {server.name} server does not stop; killing it.")
    try:
        os.killpg(server.process.pid, signal.SIGKILL)  # its children, if any are left
    except ProcessLookupError:
        return


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServiceFailed(
                f"Cannot listen on {host}:{port}: {error.strerror}.", cure="Choose another: sluice up --port 3001"
            ) from error


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(_POLL_SECONDS)
        return probe.connect_ex((host, port)) == 0
