"""Dagster's event log in one SQLite file, with a way to store many events as one transaction."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster._serdes import ConfigurableClassData
    from sqlalchemy.engine import Connection


class OneFileEventLog(ConsolidatedSqliteEventLogStorage):
    """The same file as Dagster's own class, which opens and commits up to three times for each event (1.13.27)."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._ours = threading.local()
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store all events of the body, or none of them. Others wait meanwhile: there is nothing slow in the body."""
        with super()._connect() as connection:
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
        with super()._connect() as connection:
            yield connection
