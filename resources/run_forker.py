"""Asks the fork server for workers, and starts the server whenever there is none."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from resources.fork_server import THREADLESS
from resources.launch import Begin, Launch, Launched, Stale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CHECKOUT = Path(__file__).resolve().parents[1]
_TRIES = 3
_START_SECONDS = 120


class ForkServerUnavailable(Exception):
    """No worker was started, and none will be for this launch."""


class RunForker:
    """One server at a time; it lives as long as this process, or until `close`."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = tuple(preload)
        self._server: _Server | None = None
        self._former: list[_Server] = []  # they end with their last worker
        self._turn = threading.Lock()

    @property
    def pid(self) -> int | None:
        return self._server.process.pid if self._server else None

    def launch(self, launch: Launch, note: Callable[[str], None]) -> None:
        """Have a worker execute the run, once `note` was called with its text; raises ForkServerUnavailable.

        Whoever dies in between, or fails to note it, leaves no worker: it begins only afterwards.
        """
        with self._turn:
            for _ in range(_TRIES):
                server = self._server = self._server or _Server(self._preload)
                is_launched = False
                try:
                    is_launched = server.launch(launch, note)
                finally:
                    if not is_launched:
                        self._retire(server)
                if is_launched:
                    return
        raise ForkServerUnavailable(f"The process that forks workers ended {_TRIES} times; the daemon's log says why.")

    def _retire(self, server: _Server) -> None:
        server.connection.close()
        self._former = [item for item in (*self._former, server) if item.process.poll() is None]
        self._server = None

    def close(self, patience_seconds: float) -> None:
        """Take no more runs, and wait a while for those that are at work."""
        with self._turn:
            if self._server:
                self._retire(self._server)
            for server in self._former:
                try:
                    server.process.wait(patience_seconds)
                except subprocess.TimeoutExpired:
                    continue  # it and its workers end with our process group, or by themselves


class _Server:
    def __init__(self, preload: Sequence[str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603  ours alone
                [sys.executable, "-m", "resources.fork_server", str(theirs.fileno()), *preload],
                cwd=_CHECKOUT,
                env={**environ, **THREADLESS},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self.connection = Connection(ours.detach())

    def launch(self, launch: Launch, note: Callable[[str], None]) -> bool:
        """Return False when this server cannot: then no worker will begin."""
        try:
            self.connection.send(launch)
            if not self.connection.poll(_START_SECONDS):
                self.process.kill()  # what it has sent by now is still to be read, and is all it will ever do
            answer: Launched | Stale = self.connection.recv()
        except (EOFError, ConnectionError):
            return False
        match answer:
            case Launched(worker) if worker:
                note(worker)
                return self._begin()
            case Launched() | Stale():
                return False
            case _:
                assert_never(answer)

    def _begin(self) -> bool:
        try:
            self.connection.send(Begin())
        except ConnectionError:
            return False
        return True
