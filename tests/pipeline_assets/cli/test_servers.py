from __future__ import annotations

import itertools
import os
import signal
import time
from typing import TYPE_CHECKING, TypeVar

import pytest

from pipeline_assets.cli.left_servers import end_left_servers, note_servers
from pipeline_assets.cli.servers import Plan, Server
from resources.workers import SystemWorkers
from sluice.errors import ServiceFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

WORKERS = SystemWorkers()
SLEEP = ("timeit", "-n", "1", "-r", "1", "import time; time.sleep(60)")
STARTING = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
child.wait()
"""
END = ("timeit", "-n", "1", "-r", "1", "print('the end')")


def plan(tmp_path: Path, command: tuple[str, ...]) -> Plan:
    return Plan("web", command, tmp_path / "web.log", os.environ)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(plan(tmp_path, SLEEP))
    yield server
    server.stop()


def kill(server: Server) -> None:
    pid = server.groups[-1]
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # dead; its status is left for the server to ask for


def wait_for(found: Callable[[], T], seconds: float = 30) -> T:
    """Return the first true answer, or the last one when time is up."""
    until = time.monotonic() + seconds
    while not (answer := found()) and time.monotonic() < until:
        time.sleep(0.05)
    return answer


def keep_up_for_ever(server: Server) -> None:
    for second in itertools.count():
        while server.is_running():
            time.sleep(0.02)
        server.keep_up(float(second))


def test_a_killed_server_is_started_again_after_its_wait(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    before = server.groups
    kill(server)

    restarted = [server.keep_up(now) for now in (100.0, 100.9, 101.0, 102.0)]

    assert restarted == [False, False, True, False]
    assert server.is_running()
    assert server.groups != before
    assert "Dagster's web server was ended by signal 9; it is started again in 1 s." in capsys.readouterr().out


def test_a_server_that_ends_again_and_again_is_given_up(tmp_path: Path) -> None:
    server = Server(plan(tmp_path, END))

    with pytest.raises(ServiceFailed, match=r"ended with status 0, 6 times within 10 minutes") as failed:
        keep_up_for_ever(server)

    assert "the end" in str(failed.value)
    assert str(tmp_path / "web.log") in str(failed.value)


def test_a_restart_goes_on_in_the_same_log_and_a_new_service_keeps_the_last(tmp_path: Path, server: Server) -> None:
    log = tmp_path / "web.log"
    log.write_text("before the kill\n")
    kill(server)
    server.keep_up(100.0)
    server.keep_up(101.0)
    told = log.read_text()

    Server(plan(tmp_path, SLEEP)).stop()

    assert told.startswith("before the kill\nsluice up: this server was ended by signal 9")
    assert (tmp_path / "web.log.1").read_text() == told


def test_what_a_killed_server_started_is_ended_with_the_service(tmp_path: Path) -> None:
    server = Server(plan(tmp_path, ("timeit", "-n", "1", "-r", "1", STARTING)))
    told = wait_for((tmp_path / "web.log").read_text)
    child = WORKERS.find(int(told))
    assert child is not None
    kill(server)
    server.keep_up(100.0)
    server.keep_up(101.0)
    outlived = WORKERS.is_alive(child)

    server.stop()

    assert outlived
    assert wait_for(lambda: not WORKERS.is_alive(child))


def test_what_a_killed_service_left_is_ended_by_the_next(tmp_path: Path, server: Server) -> None:
    note_servers(tmp_path / "servers.json", server.groups, WORKERS)

    assert end_left_servers(tmp_path / "servers.json", WORKERS) == 1
    assert not server.is_running()


def test_a_process_that_was_given_the_number_of_a_dead_server_is_left_alone(tmp_path: Path, server: Server) -> None:
    note_servers(tmp_path / "servers.json", server.groups, WORKERS)
    noted = (tmp_path / "servers.json").read_text()
    leader = WORKERS.find(server.groups[0])
    assert leader is not None
    (tmp_path / "servers.json").write_text(noted.replace(leader.started, "1"))

    assert end_left_servers(tmp_path / "servers.json", WORKERS) == 0
    assert server.is_running()
