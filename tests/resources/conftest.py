"""Databases that ledgers are tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from resources.dynamo_ledger.opening import create_table
from resources.memory_ledger import MemoryLedger
from tests.resources.ledgers import dynamo_place, dynamo_url, opened
from tests.resources.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from resources.ledger import Ledger
    from tests.resources.postgres import Postgres

IN_DYNAMODB = pytest.param("dynamodb", marks=pytest.mark.aws)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database that is not there yet, or is empty."""
    return _new_url(request, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql", IN_DYNAMODB])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty ledger that several processes can open with `opened`."""
    return _new_url(request, tmp_path)


@pytest.fixture(params=["memory", "sqlite", "postgresql", IN_DYNAMODB])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    """Return an empty ledger of each kind."""
    if request.param == "memory":
        return MemoryLedger()
    return opened(_new_url(request, tmp_path))


def _new_url(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'ledger.db'}"
    if request.param == "dynamodb":
        url = dynamo_url(request.getfixturevalue("aws"), f"ledger-{uuid4().hex}")
        create_table(dynamo_place(url))
        return url
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()
