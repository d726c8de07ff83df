"""One connection pool and its two kinds of transactions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from resources.ledger_schema import LOCKS
from resources.sql_ledger.opening import open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator


class Database:
    def __init__(self, url: str) -> None:
        self._engine = open_ledger(url)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self, dataset: str | None) -> Iterator[sa.Connection]:
        """Begin a transaction that waits for other writers of the dataset first.

        Each call reads before it writes, and what it has read must hold to its end. SQLite lets one writer in at a
        time, and refuses to wait once it has read; PostgreSQL locks a row for each dataset. Who writes what no dataset
        has, None, locks its own rows.
        """
        with self._engine.connect().execution_options(sluice_writes=True) as connection, connection.begin():
            if dataset is not None and connection.dialect.name == "postgresql":
                _lock(connection, dataset)
            yield connection


def at(table: sa.Table, dataset: str, partition: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.c.dataset == dataset, table.c.partition == partition


def _lock(connection: sa.Connection, dataset: str) -> None:
    row = sa.select(LOCKS.c.dataset).where(LOCKS.c.dataset == dataset).with_for_update()
    if connection.execute(row).one_or_none() is None:
        connection.execute(postgresql.insert(LOCKS).values(dataset=dataset).on_conflict_do_nothing())
        connection.execute(row).one()
