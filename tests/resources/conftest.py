"""Databases that ledgers are tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from resources.dynamo_ledger.opening import make_table
from resources.memory_ledger import MemoryLedger
from tests.resources.ledgers import dynamo_url, opened
from tests.resources.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from resources.ledger import Ledger
    from tests.aws_server import AwsServer
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


@pytest.fixture(scope="session")
def dynamo_tables(aws: AwsServer) -> Callable[[], str]:
    """Return what makes a new table and returns its URL."""
    client = aws.client("dynamodb")

    def make() -> str:
        name = f"ledger-{uuid4().hex}"
        make_table(client, name)
        return dynamo_url(aws, name)

    return make


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
        return str(request.getfixturevalue("dynamo_tables")())
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()
