"""Dagster's event log in one SQLite file, with a way to store many events as one transaction."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster._serdes import ConfigurableClassData
    from sqlalchemy.engine import Connection, Engine


class OneFileEventLog(ConsolidatedSqliteEventLogStorage):
    """The same file as Dagster's own class, which opens and commits up to three times for each event (1.13.27)."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._ours = threading.local()
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store all events of the body, or none of them. Others wait meanwhile: there is nothing slow in the body."""
        with self._connect() as connection:
            self._ours.connection = connection
            try:
                yield
            finally:
                self._ours.connection = None

    def has_table(self, table_name: str) -> bool:
        """Dagster asks it anew at each materialization, and opens the file for it; a table stays where it is."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        shared: Connection | None = getattr(self._ours, "connection", None)
        if shared is not None:
            yield shared
            return
        with self._engine.begin() as connection:
            yield connection

    @cached_property
    def _engine(self) -> Engine:
        """Dagster makes one for each event; without a pool it keeps nothing open, and a fork may use it."""
        waits = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
        return create_engine(self._conn_string, poolclass=NullPool, connect_args=waits)
