"""The catalog of a laptop: made once, whoever asks first, and written safely."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from resources.iceberg_tables import NAMESPACE
from resources.local_catalog import open_local_catalog
from resources.synced_file_io import SyncedFileIO
from tests.processes import processes
from tests.resources.shop import ORDERS, load, open_tables, stage


def _open(home: str) -> bool:
    return open_local_catalog(Path(home) / "catalog.db", Path(home) / "tables").namespace_exists(NAMESPACE)


def test_processes_that_need_a_new_catalog_at_once_share_one(tmp_path: Path) -> None:
    with processes(3) as pool:
        opened = list(pool.map(_open, [str(tmp_path / "home")] * 6))

    assert opened == [True] * 6
    assert not list((tmp_path / "home").glob(".*"))  # nobody's draft is left


def test_readers_do_not_block_the_writer(tmp_path: Path) -> None:
    _open(str(tmp_path))

    with closing(sqlite3.connect(tmp_path / "catalog.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]


def test_a_catalog_that_cannot_be_reached_fails_when_it_is_used_and_not_before(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").mkdir()

    catalog = open_local_catalog(tmp_path / "catalog.db", tmp_path / "tables")

    with pytest.raises(OperationalError, match="unable to open database file"):
        catalog.namespace_exists(NAMESPACE)


def test_metadata_is_written_through_to_the_disk(tmp_path: Path) -> None:
    open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [1]), 1)

    assert isinstance(load(tmp_path).io, SyncedFileIO)


def test_a_synced_file_is_made_with_its_folder_and_never_written_over(tmp_path: Path) -> None:
    file = SyncedFileIO().new_output(str(tmp_path / "new" / "file"))
    with file.create() as stream:
        stream.write(b"one")

    with pytest.raises(FileExistsError):
        file.create()
    assert (tmp_path / "new" / "file").read_bytes() == b"one"
