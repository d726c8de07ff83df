"""Somebody else's write to the catalog that takes its time: readers are let in, whoever wants to publish waits."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from resources.local_catalog import open_local_catalog

if TYPE_CHECKING:
    from contextlib import ExitStack

    from pipeline_assets.cli.drills.stage import Stage


class BusyCatalog:
    """`stack` ends the write, should the drill end before it does."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def begin(self, stage: Stage) -> None:
        settings = stage.environment.settings
        open_local_catalog(settings.catalog_database, settings.tables).close()  # before the first run there is none
        self._connection = self._stack.enter_context(closing(sqlite3.connect(settings.catalog_database)))
        self._connection.execute("BEGIN IMMEDIATE")

    def end(self, _: Stage) -> None:
        self._connection.rollback()
