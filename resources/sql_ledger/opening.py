"""How a ledger's database is opened: made when it is new, upgraded when it is older than this Sluice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from resources.ledger_schema import SCHEMA, SCHEMA_VERSION, create_tables
from resources.sqlite_file import make_once
from sluice.errors import LedgerTooNew, LedgerUnavailable

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

_LOCK_SECONDS = 30
_CONNECT_SECONDS = 10
_ADVISORY_LOCK = 5_785_219_010_301  # any number that no other program on the database takes

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg2", "postgresql+psycopg2": "postgresql+psycopg2"}


def open_ledger(url: str) -> sa.Engine:
    """Connect to the ledger; raises LedgerTooNew, LedgerUnavailable."""
    engine = build_engine(url)
    try:
        with engine.connect() as connection:
            found = _version(connection)
        if found != SCHEMA_VERSION:
            _bring_up_to_date(engine)
    except sa.exc.OperationalError as error:
        raise LedgerUnavailable(where=_where(engine.url), problem=str(error.orig).strip()) from error
    return engine


def fetch_schema_version(url: str) -> int | None:
    """Return the version of the tables that are there, None without any; changes nothing. Raises LedgerUnavailable."""
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        return None
    engine = build_engine(url)
    try:
        with engine.connect() as connection:
            return _version(connection)
    except (sa.exc.OperationalError, sa.exc.DatabaseError) as error:
        raise LedgerUnavailable(where=_where(engine.url), problem=str(error.orig).strip()) from error
    finally:
        engine.dispose()


def build_engine(url: str) -> sa.Engine:
    """Set up connections without making one, except that a new SQLite file is made."""
    parsed = _parse(url)
    if parsed.get_backend_name() == "postgresql":
        return _build_postgresql(parsed)
    if parsed.database:
        make_once(Path(parsed.database), _make_tables)
    engine = sa.create_engine(parsed)
    _set_up_sqlite(engine)
    return engine


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        parsed = None  # the error may quote the password
    if parsed is None or parsed.drivername not in _DRIVERS:
        raise LedgerUnavailable(
            where="its URL",
            problem="it is neither sqlite:///FILE nor postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE",
        )
    return parsed.set(drivername=_DRIVERS[parsed.drivername])


def _where(url: sa.URL) -> str:
    """Return what can be shown of a URL: its query may hold a password too."""
    shown = sa.URL.create(url.drivername, url.username, host=url.host, port=url.port, database=url.database)
    return shown.render_as_string()


def _version(connection: sa.Connection) -> int | None:
    """Return the number of the newest migration that the database has seen; None when it has no tables."""
    if not sa.inspect(connection).has_table(SCHEMA.name):
        return None
    newest: int | None = connection.execute(sa.select(sa.func.max(SCHEMA.c.version))).scalar_one()
    return newest


def _bring_up_to_date(engine: sa.Engine) -> None:
    """Make or migrate the tables in one transaction, which a kill takes back whole; others wait for it."""
    with engine.connect().execution_options(sluice_writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        found = _version(connection)
        if found is None:
            create_tables(connection)
        elif found < SCHEMA_VERSION:
            from resources.ledger_migrations import upgrade  # imports Alembic

            upgrade(connection)
        elif found > SCHEMA_VERSION:
            raise LedgerTooNew(found=found, supported=SCHEMA_VERSION)


def _make_tables(database: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        create_tables(connection)
    engine.dispose()


def _build_postgresql(url: sa.URL) -> sa.Engine:
    defaults = {
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "sluice",
        # A process that is stopped inside a transaction must not lock the others out for ever.
        "options": f"-c lock_timeout={_LOCK_SECONDS}s -c idle_in_transaction_session_timeout={2 * _LOCK_SECONDS}s",
    }
    return sa.create_engine(
        url,
        pool_size=2,  # a run is a short process that writes from one or two threads; a server has some more
        max_overflow=8,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={name: value for name, value in defaults.items() if name not in url.query},
    )


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
