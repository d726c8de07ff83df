"""Dagster with its servers, on one machine: a web server and a daemon that share one code server."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn

from pipeline_assets.cli.contract_watch import ContractWatch, reload_code
from pipeline_assets.cli.environment import CHECKOUT, Environment
from pipeline_assets.cli.left_runs import ask_again, fail_left_by_service
from pipeline_assets.cli.left_servers import end_left_servers, note_servers
from pipeline_assets.cli.output import tell
from pipeline_assets.cli.pulse import Pulse
from pipeline_assets.cli.servers import Plan, Server, groups_of
from pipeline_assets.cli.uninterrupted import uninterrupted
from resources.contract_folders import fetch_contracts
from resources.dagster_home import open_dagster
from resources.run_lock import hold_lock
from resources.telemetry import keep_telemetry
from sluice.errors import ServiceFailed

# Not below DAGSTER_HOME: Dagster's web server sends whatever is in DAGSTER_HOME/logs to its makers and then deletes it,
# with telemetry switched off as well (1.13.27, dagster/_core/telemetry_upload.py).
_LOGS = "logs"
_START_SECONDS = 180
_POLL_SECONDS = 0.25
_LOOK_SECONDS = 2.0
"""Between two looks at the contracts: a file that has not changed from one to the next is written to its end."""

_WORKSPACE = """\
load_from:
  - grpc_server:
      socket: {socket}
      location_name: sluice
"""


def serve(environment: Environment, *, host: str, port: int) -> None:
    """Run until Ctrl-C or SIGTERM; raises ServiceFailed when a server cannot start or ends again and again."""
    environment.settings.raw.mkdir(parents=True, exist_ok=True)
    # Both are set, for a shell may have started us with Ctrl-C ignored, which our children would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    keep_telemetry(environment.settings.telemetry)
    try:
        with (
            hold_lock(environment.settings.dagster_home / "service.lock", on_wait=_refuse_second),
            tempfile.TemporaryDirectory(prefix="sluice-up-") as folder,
        ):
            _tidy(environment)
            _require_free(host, port)
            tell("Starting Dagster; this takes some seconds ...")
            with _stopping(_Service(environment, Path(folder), host, port)) as service:
                service.start()
                tell(f"Web    http://{host}:{port}", style="bold")
                place = environment.settings.landing_place
                tell(f"Files  {place}: what lands there becomes rows (sluice land puts it in place)")
                tell(f"Logs   {environment.settings.home / _LOGS}")
                tell("Stop with Ctrl-C.")
                service.keep_up()
    except KeyboardInterrupt:
        tell("Stopped.")


def _refuse_second() -> NoReturn:
    raise ServiceFailed("Another `sluice up` is at work on this SLUICE_HOME.", cure="Use that one, or stop it first.")


def _tidy(environment: Environment) -> None:
    """End what an earlier service left at work, and let the sensor ask for it again."""
    if left := end_left_servers(_noted_servers(environment), environment.workers):
        tell(f"{left} servers of an earlier `sluice up` that was killed were still at work; they are ended.")
    with open_dagster(environment.settings.dagster_home) as instance:
        if left := fail_left_by_service(instance, environment):
            tell(f"{left} runs of an earlier `sluice up` had been killed; their partitions are built again.")
        ask_again(instance)


def _noted_servers(environment: Environment) -> Path:
    return environment.settings.dagster_home / "servers.json"


@dataclass(slots=True)
class _Service:
    """The servers in the order in which they need each other."""

    environment: Environment
    folder: Path
    host: str
    port: int
    servers: list[Server] = field(default_factory=list)

    def start(self) -> None:
        """Start the code server first: one process that loads the contracts, for the other two to ask."""
        (self.environment.settings.home / _LOGS).mkdir(exist_ok=True)
        workspace = self.folder / "workspace.yaml"
        workspace.write_text(_WORKSPACE.format(socket=self._socket))
        self._add("code", "dagster", "code-server", "start", "--socket", str(self._socket),
                  "--module-name", "pipeline_assets.definitions", "--working-directory", str(CHECKOUT),
                  "--location-name", "sluice", before_start=partial(self._socket.unlink, missing_ok=True))  # fmt: skip
        self._wait(self._socket.exists)
        self._add("daemon", "resources.prompt_daemon", "run", "--workspace", str(workspace))
        web = ("--host", self.host, "--port", str(self.port), "--workspace", str(workspace))
        self._add("webserver", "dagster_webserver", *web)
        self._wait(lambda: _answers(self.host, self.port))

    def keep_up(self) -> NoReturn:
        """Start again whatever ends by itself; raises ServiceFailed when one ends too often."""
        code, *others = self.servers
        pulse = Pulse(self._socket)
        contracts, looked = self._watch_contracts(), time.monotonic()
        while True:
            if pulse.is_lost() and code.is_running():
                code.kill()
            if code.keep_up(time.monotonic()):
                pulse.forget()
                self._note()
            # Without the code server the daemon would wait a minute before it looks for it again.
            if code.is_running() and self._socket.exists():
                restarted = [server.keep_up(time.monotonic()) for server in others]
                if any(restarted):
                    self._note()
                if time.monotonic() - looked > _LOOK_SECONDS:
                    if contracts.look():
                        pulse.forget()
                    looked = time.monotonic()
            time.sleep(_POLL_SECONDS)

    def _watch_contracts(self) -> ContractWatch:
        folders = self.environment.settings.dataset_folders
        return ContractWatch(folders, lambda: fetch_contracts(folders), partial(reload_code, self._socket))

    @property
    def _socket(self) -> Path:
        return self.folder / "code.sock"

    def _add(self, name: str, *command: str, before_start: Callable[[], None] = lambda: None) -> None:
        log = self.environment.settings.home / _LOGS / f"{name}.log"
        variables, settings = _child_variables(self.environment), self.environment.settings
        plan = Plan(name, command, log, variables, before_start, is_logged=settings.telemetry.are_logs_json)
        with uninterrupted():
            self.servers.append(Server(plan))
            self._note()

    def _note(self) -> None:
        note_servers(_noted_servers(self.environment), groups_of(self.servers), self.environment.workers)

    def _wait(self, is_ready: Callable[[], bool]) -> None:
        waited = 0.0
        while not is_ready():
            for server in self.servers:
                server.require_running()
            if waited > _START_SECONDS:
                self.servers[-1].fail(f"did not answer within {_START_SECONDS} seconds")
            time.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS


@contextmanager
def _stopping(service: _Service) -> Iterator[_Service]:
    """Stop whatever was started, newest first, and leave no process behind."""
    try:
        yield service
    finally:
        for server in reversed(service.servers):
            server.stop()


def _child_variables(environment: Environment) -> Mapping[str, str]:
    settings = environment.settings
    return {
        **os.environ,
        "DAGSTER_HOME": str(settings.dagster_home),
        "SLUICE_HOME": str(settings.home),
        "SLUICE_DATASETS": os.pathsep.join(str(folder) for folder in settings.dataset_folders),
        "PYTHONUNBUFFERED": "1",
    }


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
