"""Databases that ledgers are tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from resources.memory_ledger import MemoryLedger
from resources.sql_ledger import SqlLedger
from tests.resources.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from resources.ledger import Ledger
    from tests.resources.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database that is not there yet, or is empty."""
    return _new_url(request, tmp_path)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    """Return an empty ledger of each kind."""
    if request.param == "memory":
        return MemoryLedger()
    return SqlLedger(_new_url(request, tmp_path))


def _new_url(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'ledger.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()
