"""Alembic migrations of the ledger, from version 1 on. Each runs once, inside the transaction of whoever opens it."""

from __future__ import annotations

import logging
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from resources.ledger_schema import SCHEMA, SCHEMA_VERSION

_FOLDER = Path(__file__).parent
_BEFORE_ALEMBIC = "0001"

_log = logging.getLogger(__name__)


def upgrade(connection: sa.Connection) -> None:
    """Bring a database of an older Sluice to SCHEMA_VERSION; the caller holds a transaction and commits it."""
    if MigrationContext.configure(connection).get_current_revision() is None:
        command.stamp(_config(connection), _BEFORE_ALEMBIC)
    migrate(connection, "head")
    connection.execute(sa.update(SCHEMA).values(version=SCHEMA_VERSION))  # an older Sluice reads this and refuses
    _log.info("The ledger was upgraded to schema version %d.", SCHEMA_VERSION)


def migrate(connection: sa.Connection, revision: str) -> None:
    """Run the migrations that the database has not seen, up to a revision."""
    command.upgrade(_config(connection), revision)


def head() -> str:
    """Return the revision of the newest migration file."""
    revision = ScriptDirectory.from_config(_config(None)).get_current_head()
    if revision is None:
        raise ValueError(f"{_FOLDER} has no migrations")
    return revision


def _config(connection: sa.Connection | None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config
