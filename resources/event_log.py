"""Dagster's event log in one SQLite file, with a way to store many events as one transaction."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as Checks
from dagster._core.storage.event_log.schema import AssetKeyTable
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import bindparam, select
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster import EventLogEntry
    from dagster._serdes import ConfigurableClassData
    from sqlalchemy.engine import Connection, Engine


_PLACE = ("asset_key", "check_name", "run_id", "partition")
_EVALUATED = select(Checks.c.id).where(*(Checks.c[name] == bindparam(name) for name in _PLACE))
_EVALUATE = Checks.insert()


class OneFileEventLog(ConsolidatedSqliteEventLogStorage):
    """The same file as Dagster's own class, which opens and commits up to three times for each event (1.13.27)."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._ours = threading.local()
        self._tables: set[str] = set()
        self._columns: set[str] = set()
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

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        """Dagster asks that anew at each event about an asset, too."""
        if column_name not in self._columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._columns.add(column_name)
        return column_name in self._columns

    def _store_asset_event(self, conn: Connection, event: EventLogEntry, event_id: int) -> None:
        """Change the asset's row first: Dagster inserts first, and mostly gets an error that it is there."""
        assert event.dagster_event is not None  # noqa: S101  as Dagster asks before
        assert event.dagster_event.asset_key is not None  # noqa: S101
        key = event.dagster_event.asset_key.to_string()
        values = self._get_asset_entry_values(event, event_id, self._has_asset_key_index_cols_on_connection(conn))
        if (
            values
            and not conn.execute(
                AssetKeyTable.update().values(**values).where(AssetKeyTable.c.asset_key == key)
            ).rowcount
        ):
            conn.execute(AssetKeyTable.insert().values(asset_key=key, **values))

    def _event_to_row(self, event: EventLogEntry) -> dict[str, Any]:
        row = super()._event_to_row(event)
        self._ours.written = event, row["event"]
        return row

    def _update_asset_check_evaluation(self, event: EventLogEntry, event_id: int | None) -> None:
        """Dagster serializes the evaluation three times, for the update of a planned one that a chunk never has."""
        shared: Connection | None = getattr(self._ours, "connection", None)
        written, text = self._ours.written
        assert event.dagster_event is not None  # noqa: S101  as Dagster asks before
        evaluation = event.dagster_event.asset_check_evaluation_data
        place = (evaluation.asset_key.to_string(), evaluation.check_name, event.run_id, evaluation.partition)
        named = dict(zip(_PLACE, place, strict=True))
        if shared is None or written is not event or shared.execute(_EVALUATED, named).first() is not None:
            super()._update_asset_check_evaluation(event, event_id)
            return
        status = AssetCheckExecutionRecordStatus
        target = evaluation.target_materialization_data
        row = {
            **named,
            "execution_status": (status.SUCCEEDED if evaluation.passed else status.FAILED).value,
            "evaluation_event": text,
            "evaluation_event_timestamp": self._event_insert_timestamp(event),  # type: ignore[no-untyped-call]
            "evaluation_event_storage_id": event_id,
            "materialization_event_storage_id": target.storage_id if target else None,
        }
        shared.execute(_EVALUATE, row)

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
