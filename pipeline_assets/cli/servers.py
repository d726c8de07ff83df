"""One of Dagster's servers: a process that is started, started again when it ends by itself, and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pipeline_assets.cli.environment import CHECKOUT
from pipeline_assets.cli.output import tell
from pipeline_assets.cli.restarts import MOST, WINDOW_SECONDS, seconds_before_restart
from pipeline_assets.cli.uninterrupted import uninterrupted
from sluice.errors import ServiceFailed

_STOP_SECONDS = 15
_SHOWN_LINES = 15


@dataclass(frozen=True, slots=True)
class Plan:
    """How a server is started; `before_start` removes what a killed one left in the way.

    One that `is_logged` writes JSON to our standard output; to its log goes what is no log line.
    """

    name: str
    command: Sequence[str]
    log: Path
    variables: Mapping[str, str]
    before_start: Callable[[], None] = lambda: None
    is_logged: bool = False


class Server:
    """Times are seconds of a clock that nobody sets."""

    def __init__(self, plan: Plan) -> None:
        self.name = plan.name
        self._plan = plan
        self._ends: list[float] = []
        self._due: float | None = None
        self._former: list[int] = []
        _keep_last_log(plan.log)
        self._process = self._start()

    @property
    def groups(self) -> tuple[int, ...]:
        """Every process group it has started and that is still there: a code server's runs outlive it."""
        self._former = [group for group in self._former if group_exists(group)]
        return (*self._former, self._process.pid)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def keep_up(self, now: float) -> bool:
        """Start it again when it has ended and its wait is over; True when it did.

        Raises ServiceFailed when it has ended too often.
        """
        if self._due is None and not self.is_running():
            self._ends.append(now)
            wait = seconds_before_restart(self._ends)
            if wait is None:
                self.fail(f"{self._ending()}, {MOST + 1} times within {WINDOW_SECONDS / 60:.0f} minutes")
            self._due = now + wait
            self._tell(f"{self._ending()}; it is started again in {wait:.0f} s")
        if self._due is None or now < self._due:
            return False
        self._due = None
        self._former.append(self._process.pid)
        with uninterrupted():
            self._process = self._start()
        self._tell("is started again")
        return True

    def require_running(self) -> None:
        """Raise ServiceFailed when it has ended: while Dagster starts, that is a fault and no accident."""
        if not self.is_running():
            self.fail(self._ending())

    def fail(self, what: str) -> NoReturn:
        last_lines = self._plan.log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
        shown = "".join(f"\n  {line}" for line in last_lines)
        raise ServiceFailed(
            f"Dagster's {self.name} server {what}.{shown}\n", cure=f"Read all of it in {self._plan.log}"
        )

    def kill(self) -> None:
        """End it at once, but not the runs it started; `keep_up` then starts it again."""
        self._process.kill()

    def stop(self) -> None:
        """End it and whatever it started."""
        if self.is_running():
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                tell(f"The {self.name} server does not stop; killing it.")
        for group in self.groups:
            kill_group(group)
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        self._plan.before_start()
        with self._plan.log.open("ab") as written:
            return subprocess.Popen(
                [sys.executable, "-m", *(("resources.logged",) if self._plan.is_logged else ()), *self._plan.command],
                cwd=CHECKOUT,
                env=self._plan.variables,
                stdout=None if self._plan.is_logged else written,
                stderr=written,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the others in order
            )

    def _ending(self) -> str:
        status = self._process.returncode
        return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"

    def _tell(self, what: str) -> None:
        tell(f"Dagster's {self.name} server {what}.")
        with self._plan.log.open("a") as log:
            log.write(f"sluice up: this server {what}.\n")


def kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of somebody else, so the number was given away
        return False
    return True


def groups_of(servers: Iterable[Server]) -> list[int]:
    return [group for server in servers for group in server.groups]


def _keep_last_log(log: Path) -> None:
    """What a killed service wrote last is wanted after the next start; what was before it is not."""
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
