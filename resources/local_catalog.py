"""The Iceberg catalog of a laptop: one SQLite file, tables' metadata in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.catalog.sql import SqlCatalog

from resources.iceberg_tables import NAMESPACE
from resources.sqlite_file import make_once
from resources.synced_file_io import SyncedFileIO
from resources.table_metadata import LeanCommits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LOCK_SECONDS = 30


class LocalCatalog(LeanCommits, SqlCatalog):
    """pyiceberg's catalog in a SQL database."""


def open_local_catalog(database: Path, folder: Path, data_access: Mapping[str, str] | None = None) -> SqlCatalog:
    """Open the catalog, which is made when it is not there yet.

    `data_access` says how files elsewhere are reached (`s3.region`): metadata is here, data may be in S3.

    One that cannot be reached is opened all the same, and fails when it is used: what fails while Dagster opens the
    ports of a step is nobody's attempt, so nobody could tell that it was the catalog.
    """
    make_once(database, _make_tables)
    return _open(database, folder, init_catalog_tables="false", **(data_access or {}))


def _make_tables(database: Path) -> None:
    catalog = _open(database, database.parent)
    catalog.create_namespace(NAMESPACE)
    catalog.close()


def _open(database: Path, folder: Path, **further: str) -> SqlCatalog:
    return LocalCatalog(
        "sluice",
        **{
            "uri": f"sqlite:///{database}?timeout={_LOCK_SECONDS}",
            "warehouse": str(folder),
            "py-io-impl": f"{SyncedFileIO.__module__}.{SyncedFileIO.__name__}",
            **further,
        },
    )
