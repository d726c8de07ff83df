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
from resources.launch import Launch, Launched, Stale

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    def launch(self, launch: Launch) -> str:
        """Return the text of the Worker; raises ForkServerUnavailable."""
        with self._turn:
            for _ in range(_TRIES):
                self._server = self._server or _Server(self._preload)
                if worker := self._server.launch(launch):
                    return worker
                self._retire(self._server)
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

    def launch(self, launch: Launch) -> str:
        """Return the text of the Worker, nothing when this server cannot: then no worker will begin."""
        try:
            self.connection.send(launch)
            if not self.connection.poll(_START_SECONDS):
                self.process.kill()  # what it has sent by now is still to be read, and is all it will ever do
            answer: Launched | Stale = self.connection.recv()
        except (EOFError, ConnectionError):
            return ""
        match answer:
            case Launched(worker):
                return worker
            case Stale():
                return ""
            case _:
                assert_never(answer)
