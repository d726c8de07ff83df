"""The real daemon heals what is killed under it. `make test-daemon`."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from resources.fork_server import SERVER_NAME, WORKER_NAME
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind
from tests.end_to_end.test_service import Service, environment_of, processes_of, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.daemon

DAY = "2026-11-05"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path) as service:
        service.wait_until_up()
        yield service


def forkers(home: Path) -> list[int]:
    """Return the processes that runs of this home are forked from."""
    return _named(home, SERVER_NAME)


def workers(home: Path) -> list[int]:
    """Return the processes that execute runs of this home."""
    return _named(home, WORKER_NAME)


def _named(home: Path, name: str) -> list[int]:
    found = processes_of(home)
    return sorted(pid for pid in found if environment_of(Path(f"/proc/{pid}/comm")).decode().strip() == name)


def test_a_killed_run_is_found_retried_and_its_incident_resolved(service: Service) -> None:
    with service.held_before_publication():
        service.land(DAY, (1, "north", 2.5))
        assert wait_for(service.environment.ledger.open_attempts, 180)
        (worker,) = workers(service.home)
        os.kill(worker, signal.SIGKILL)

    assert wait_for(lambda: service.rows("sales", DAY), 300) == [(1, "north", 2.5)]

    (incident,) = wait_for(lambda: service.environment.ledger.incidents("sales"), 10)
    assert incident.failure_class is FailureClass.TRANSIENT
    assert [item.kind for item in incident.remedies] == [RemedyKind.RETRY_LATER]
    assert wait_for(lambda: service.environment.ledger.incidents("sales")[0].resolved_by, 60) == "sluice"
