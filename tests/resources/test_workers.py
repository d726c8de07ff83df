from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from resources.workers import SystemWorkers, of_proc, of_ps
from sluice.healing.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS = SystemWorkers()


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def kill(process: subprocess.Popen[bytes]) -> None:
    """End it, and wait until it has ended; its status stays unasked for."""
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def found(pid: int) -> Worker:
    worker = WORKERS.find(pid)
    assert worker is not None
    return worker


def test_who_asks_is_alive() -> None:
    mine = WORKERS.mine()

    assert mine.pid == os.getpid()
    assert WORKERS.is_alive(mine)


def test_a_process_is_dead_as_soon_as_it_is_killed_although_nobody_asked_for_its_status(
    process: subprocess.Popen[bytes],
) -> None:
    worker = found(process.pid)
    alive_before = WORKERS.is_alive(worker)
    kill(process)

    assert alive_before
    assert WORKERS.is_alive(worker) is False
    assert WORKERS.is_alive(Worker(process.pid)) is False


def test_a_process_is_dead_when_its_status_was_asked_for(process: subprocess.Popen[bytes]) -> None:
    worker = found(process.pid)
    process.kill()
    process.wait()

    assert WORKERS.is_alive(worker) is False
    assert WORKERS.find(process.pid) is None


def test_another_process_with_its_number_is_not_it(process: subprocess.Popen[bytes]) -> None:
    assert WORKERS.is_alive(replace(found(process.pid), started="1")) is False


def test_nothing_survives_a_reboot(process: subprocess.Popen[bytes]) -> None:
    assert WORKERS.is_alive(replace(found(process.pid), boot="another")) is False


def test_of_a_process_on_another_host_nothing_is_known(process: subprocess.Popen[bytes]) -> None:
    assert WORKERS.is_alive(replace(found(process.pid), host="another")) is None


def test_the_number_alone_tells_whether_anybody_has_it(process: subprocess.Popen[bytes]) -> None:
    assert WORKERS.is_alive(Worker(process.pid)) is True


@pytest.mark.parametrize("ask", [of_proc, of_ps], ids=["proc", "ps"])
def test_both_ways_to_ask_tell_states_and_the_moment_it_began(ask: object, process: subprocess.Popen[bytes]) -> None:
    assert callable(ask)
    state, started = ask(process.pid)
    again = ask(process.pid)
    other = ask(1)

    assert state[:1] in {"R", "S", "D"}
    assert (started, bool(started)) == (again[1], True)
    assert other[1] != started
    kill(process)
    assert ask(process.pid)[0][:1] == "Z"
    process.wait()
    assert ask(process.pid)[0] == "X"
