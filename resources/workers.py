"""Whether the process that executes a run is still there."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Protocol

from sluice.healing.worker import Worker

_PROCESSES = Path("/proc")
_BOOT = _PROCESSES / "sys/kernel/random/boot_id"
_STATE, _STARTED = 0, 19  # places in /proc/PID/stat, counted behind the name
_ENDED = frozenset("ZX")  # ended, but its parent has not asked for its status: nobody may ever do so in a container


class Workers(Protocol):
    def mine(self) -> Worker:
        """Return the process that asks."""

    def find(self, pid: int) -> Worker | None:
        """Return the process that has this number here and now."""

    def is_alive(self, worker: Worker) -> bool | None:
        """Return None when that cannot be seen from here: the worker is on another host."""


class SystemWorkers:
    """The processes of this machine: from /proc, or from `ps` where there is none."""

    def mine(self) -> Worker:
        pid = os.getpid()
        return self.find(pid) or Worker(pid)

    def find(self, pid: int) -> Worker | None:
        started = _started(pid)
        return None if started is None else Worker(pid, socket.gethostname(), _boot(), started)

    def is_alive(self, worker: Worker) -> bool | None:
        if worker.host not in {"", socket.gethostname()}:
            return None
        if worker.boot not in {"", _boot()}:
            return False
        started = _started(worker.pid)
        return started is not None and (not started or worker.started in {"", started})


class ListedWorkers:
    """For tests: who is not `living` is dead, and nothing is known of who is on another host."""

    def __init__(self, *living: int) -> None:
        self.living = set(living)

    def mine(self) -> Worker:
        return Worker(os.getpid())

    def find(self, pid: int) -> Worker | None:
        return Worker(pid) if pid in self.living else None

    def is_alive(self, worker: Worker) -> bool | None:
        return None if worker.host else worker.pid in self.living


def _boot() -> str:
    """Containers of one machine share its uptime, but each counts its own processes from 1."""
    if not _BOOT.exists():
        return ""  # `ps` tells a date, which no other uptime repeats
    return f"{_BOOT.read_text().strip()} {(_PROCESSES / 'self/ns/pid').readlink()}"


def _started(pid: int) -> str | None:
    """Return when the process began, None when there is none, nothing when only its existence can be seen."""
    if not _exists(pid):
        return None
    state, started = of_proc(pid) if (_PROCESSES / "self/stat").exists() else of_ps(pid)
    return None if state[:1] in _ENDED else started


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def of_proc(pid: int) -> tuple[str, str]:
    try:
        told = (_PROCESSES / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended, or /proc hides what others own
        return ("?" if _exists(pid) else "X"), ""
    fields = told.rpartition(")")[2].split()  # the name before may hold blanks and brackets
    return fields[_STATE], fields[_STARTED]


def of_ps(pid: int) -> tuple[str, str]:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    words = {"PATH": os.defpath, "LC_ALL": "C"}
    told = subprocess.run(command, capture_output=True, text=True, check=False, env=words)  # noqa: S603  # ours alone
    state, _, started = told.stdout.strip().partition(" ")
    return (state, started.strip()) if state else ("X", "")
