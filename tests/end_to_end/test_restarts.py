"""Whatever of `sluice up` is killed, it goes on by itself and nothing is lost. `make test-daemon`."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.test_healing import workers
from tests.end_to_end.test_service import Service, environment_of, processes_of, statuses, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.daemon

CODE_SERVER = (b"api\0grpc",)
ITS_PROXY = (b"code-server",)  # the process that `sluice up` started
SERVERS = (b"resources.prompt_daemon", b"dagster_webserver")
AT_WORK = {"NOT_STARTED", "STARTING", "STARTED", "CANCELING"}
SECONDS = 300
"""A worker and a code server start within ten seconds each; a busy machine takes many times that."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path) as service:
        service.wait_until_up()
        yield service


def found(home: Path, *words: bytes) -> list[int]:
    """Return the processes of this home whose command holds one of these words."""
    commands = {pid: environment_of(Path("/proc") / str(pid) / "cmdline") for pid in processes_of(home)}
    return [pid for pid, command in commands.items() if any(word in command for word in words)]


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # one may end because of another
            os.kill(pid, signal.SIGKILL)


def wait_for_rows(service: Service, day: str) -> None:
    assert wait_for(lambda: service.rows("sales", day), SECONDS) == [(1, "north", 2.5)]
    assert wait_for(lambda: service.rows("sales_totals", day), SECONDS) == [("north", 2.5)]


def resolvers(service: Service) -> set[str | None]:
    """Return who resolved the incidents of the two datasets, as soon as none is open."""
    wait_for(lambda: None not in _resolvers(service), 60)
    return _resolvers(service)


def _resolvers(service: Service) -> set[str | None]:
    ledger = service.environment.ledger
    return {item.resolved_by for name in ("sales", "sales_totals") for item in ledger.incidents(name)}


def test_servers_and_runs_that_are_killed_together_go_on(service: Service) -> None:
    with service.held_before_publication():
        service.land("2026-11-05", (1, "north", 2.5))
        assert wait_for(service.environment.ledger.open_attempts, SECONDS)
        kill(*found(service.home, *CODE_SERVER), *workers(service.home))
    wait_for_rows(service, "2026-11-05")

    service.land("2026-11-06", (1, "north", 2.5))
    kill(*found(service.home, *SERVERS, *ITS_PROXY))
    wait_for_rows(service, "2026-11-06")

    assert wait_for(lambda: not AT_WORK & statuses(service), 60)
    assert resolvers(service) == {"sluice"}
    assert len(service.environment.tables.files("sales")) == 2
    assert service.stop() == 0
    assert wait_for(lambda: not processes_of(service.home), 10)


def test_a_killed_service_is_followed_by_one_that_ends_its_servers_and_goes_on(service: Service) -> None:
    with service.held_before_publication():
        service.land("2026-11-05", (1, "north", 2.5))
        assert wait_for(service.environment.ledger.open_attempts, SECONDS)
        service.process.kill()
    service.process.wait()

    with Service(service.home, service.port) as following:
        told = following.wait_until_up()
        wait_for_rows(following, "2026-11-05")

        assert "3 servers of an earlier `sluice up` that was killed were still at work" in told
        assert len(found(service.home, *SERVERS)) == len(SERVERS)
        assert wait_for(lambda: not AT_WORK & statuses(following), 60)
