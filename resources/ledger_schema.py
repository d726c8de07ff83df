"""The tables of the SQL ledger, and how a database gets them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from resources.sqlite_file import make_once
from sluice.errors import LedgerTooNew

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

SCHEMA_VERSION = 1

_LOCK_SECONDS = 30


class Instant(sa.TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite has no zones, so it gets UTC without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


_METADATA = sa.MetaData()
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up INTEGER keys only

SCHEMA = sa.Table("ledger_schema", _METADATA, sa.Column("version", sa.Integer, primary_key=True))

SEQUENCE = sa.Table("arrival_sequence", _METADATA, sa.Column("last", sa.BigInteger, primary_key=True))

ARRIVALS = sa.Table(
    "arrivals",
    _METADATA,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("partition", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("listing_digest", sa.Text, nullable=False),
    sa.Column("noticed_at", Instant, nullable=False),
)

OBJECTS = sa.Table(
    "objects",
    _METADATA,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("partition", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("stamp", sa.Text, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
)

PUBLICATIONS = sa.Table(
    "publications",
    _METADATA,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("partition", sa.Text, primary_key=True),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("snapshot_id", sa.BigInteger),
    sa.Column("published_at", Instant, nullable=False),
)

ATTEMPTS = sa.Table(
    "attempts",
    _METADATA,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("partition", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("error", sa.Text),
    sa.UniqueConstraint("dataset", "partition", "version", "number"),
    sa.UniqueConstraint("dataset", "partition", "version", "run_id"),
    sa.Index("attempts_of_partition", "dataset", "partition", "id"),
)


def open_ledger(url: str) -> sa.Engine:
    """Connect to the ledger, which is made when it is not there yet; raises LedgerTooNew."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite" and engine.url.database:
        make_once(Path(engine.url.database), _make_tables)
        _set_up_sqlite(engine)
    with engine.connect() as connection:
        found = connection.execute(sa.select(sa.func.max(SCHEMA.c.version))).scalar_one()
    if found > SCHEMA_VERSION:
        raise LedgerTooNew(found=found, supported=SCHEMA_VERSION)
    return engine


def _make_tables(database: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        _METADATA.create_all(connection)
        connection.execute(sa.insert(SCHEMA).values(version=SCHEMA_VERSION))
        connection.execute(sa.insert(SEQUENCE).values(last=0))
    engine.dispose()


def _set_up_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _: object) -> None:
        connection.isolation_level = None  # the driver begins transactions too late; `begin` below does it
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_LOCK_SECONDS * 1000}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("sluice_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
