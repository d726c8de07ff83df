"""Runs of the real daemon are forked from a server that reads no contract. `make test-daemon`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.test_healing import forkers
from tests.end_to_end.test_service import DATASETS, Service, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.daemon


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copied = tmp_path / "datasets"
    shutil.copytree(DATASETS, copied)
    monkeypatch.setattr("tests.end_to_end.test_service.DATASETS", copied)
    return copied


@pytest.fixture
def service(tmp_path: Path, datasets: Path) -> Iterator[Service]:  # noqa: ARG001  they are its datasets
    with Service(tmp_path / "home") as service:
        service.wait_until_up()
        yield service


def test_a_contract_changed_between_two_runs_is_seen_by_the_second(service: Service, datasets: Path) -> None:
    service.land("2026-11-10", (1, "north", 2.5))
    assert wait_for(lambda: service.rows("sales", "2026-11-10"), 300)
    server = the_only_forker(service)
    contract = datasets / "sales" / "contract.yaml"
    contract.write_text(contract.read_text().replace("version: 1.0.0", "version: 1.1.0"))

    service.land("2026-11-11", (2, "north", 2.5))
    assert wait_for(lambda: service.rows("sales", "2026-11-11"), 300)

    assert [contract_version(service, day) for day in ("2026-11-10", "2026-11-11")] == ["1.0.0", "1.1.0"]
    assert the_only_forker(service) == server


def the_only_forker(service: Service) -> int:
    """A worker is called as its server is until it has given itself a name."""
    assert wait_for(lambda: len(forkers(service.home)) == 1, 30)
    (server,) = forkers(service.home)
    return server


def contract_version(service: Service, day: str) -> str | None:
    published = wait_for(lambda: service.environment.ledger.published("sales", day), 30)
    return published.outcome.contract_version if published else None
