"""The Iceberg catalog of a laptop: one SQLite file, tables' metadata in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from pathlib import Path

_LOCK_SECONDS = 30


def open_local_catalog(database: Path, folder: Path) -> SqlCatalog:
    """Open the catalog, and make it when it is not there yet."""
    database.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _open(database, folder)
    except OperationalError:
        return _open(database, folder)  # another process made the catalog's tables since this one looked for them


def _open(database: Path, folder: Path) -> SqlCatalog:
    return SqlCatalog("sluice", uri=f"sqlite:///{database}?timeout={_LOCK_SECONDS}", warehouse=str(folder))
