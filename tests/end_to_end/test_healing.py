"""The real daemon heals what is killed under it. `make test-daemon`."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind
from tests.end_to_end.test_service import Service, environment_of, processes_of, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.daemon

DAY = "2026-11-05"
FORKER = b"resources.fork_server"  # a worker is a fork of it, and looks the same


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path) as service:
        service.wait_until_up()
        yield service


def forkers(home: Path) -> list[int]:
    """Return the processes that runs of this home are forked from."""
    return sorted(_forked_or_forking(home) - set(workers(home)))


def workers(home: Path) -> list[int]:
    """Return the processes that execute runs of this home."""
    found = _forked_or_forking(home)
    return sorted(pid for pid in found if _parent(pid) in found)


def _forked_or_forking(home: Path) -> set[int]:
    return {pid for pid in processes_of(home) if FORKER in environment_of(Path(f"/proc/{pid}/cmdline"))}


def _parent(pid: int) -> int:
    told = environment_of(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()
    return int(told[1]) if told else 0


def test_a_killed_run_is_found_retried_and_its_incident_resolved(service: Service) -> None:
    service.land(DAY, (1, "north", 2.5))
    found = wait_for(lambda: workers(service.home), 60)
    assert found
    time.sleep(1)  # it is at work, or about to be
    os.kill(found[0], signal.SIGKILL)

    assert wait_for(lambda: service.rows("sales", DAY), 120) == [(1, "north", 2.5)]

    (incident,) = wait_for(lambda: service.environment.ledger.incidents("sales"), 10)
    assert incident.failure_class is FailureClass.TRANSIENT
    assert [item.kind for item in incident.remedies] == [RemedyKind.RETRY_LATER]
    assert wait_for(lambda: service.environment.ledger.incidents("sales")[0].resolved_by, 30) == "sluice"
