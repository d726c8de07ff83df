"""What steps do where the store is elsewhere: objects are opened ahead, files fetched for engines that need them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, BinaryIO

import pytest

from pipeline_assets.local_files import local_files
from pipeline_assets.opened_ahead import opened_ahead
from resources.object_store import LocalObjectStore, MemoryObjectStore
from sluice.manifest import RawObject

if TYPE_CHECKING:
    from pathlib import Path

OBJECTS = tuple(RawObject(f"raw/{number:03d}", f"e{number}", 1) for number in range(40))


class Elsewhere(MemoryObjectStore):
    """Counts what is opened, and by which ETag."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.opened: list[tuple[str, str | None]] = []
        self.handles: list[BinaryIO] = []
        self._guard = threading.Lock()
        for item in OBJECTS:
            source = folder / "source"
            source.write_bytes(item.key.encode())
            self.put(item.key, source)

    def open(self, key: str, *, etag: str | None = None) -> BinaryIO:
        handle = super().open(key, etag=etag)
        with self._guard:
            self.opened.append((key, etag))
            self.handles.append(handle)
        return handle


@pytest.fixture
def store(tmp_path: Path) -> Elsewhere:
    return Elsewhere(tmp_path)


def test_each_object_is_opened_once_by_its_etag(store: Elsewhere) -> None:
    with opened_ahead(store, OBJECTS) as open_object:
        found = [open_object(item).read() for item in OBJECTS]

    assert found == [item.key.encode() for item in OBJECTS]
    assert sorted(store.opened) == [(item.key, item.etag) for item in OBJECTS]


def test_a_reader_that_stops_leaves_nothing_open(store: Elsewhere) -> None:
    with opened_ahead(store, OBJECTS) as open_object:
        open_object(OBJECTS[0]).close()

    assert 1 <= len(store.opened) <= 13
    assert {handle.closed for handle in store.handles} == {True}


def test_an_object_is_opened_again_for_a_second_reading(store: Elsewhere) -> None:
    with opened_ahead(store, OBJECTS[:2]) as open_object:
        found = [open_object(item).read() for item in (OBJECTS[1], OBJECTS[0], OBJECTS[1])]

    assert found == [b"raw/001", b"raw/000", b"raw/001"]


def test_an_object_that_is_gone_is_missed_where_it_is_read(store: Elsewhere) -> None:
    gone = RawObject("raw/gone", "e", 1)

    with opened_ahead(store, (OBJECTS[0], gone)) as open_object:
        assert open_object(OBJECTS[0]).read() == b"raw/000"
        with pytest.raises(FileNotFoundError):
            open_object(gone)


def test_files_elsewhere_are_fetched_for_as_long_as_they_are_needed(store: Elsewhere, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    with local_files(store, [store.uri("raw/001"), store.uri("raw/000")], scratch) as paths:
        before = list(scratch.iterdir())
        found = [tmp_path.joinpath(path).read_bytes() for path in paths()]
        again = paths()

    assert (before, found) == ([], [b"raw/001", b"raw/000"])
    assert again == paths()
    assert list(scratch.iterdir()) == []


def test_files_of_this_machine_are_used_where_they_are(tmp_path: Path) -> None:
    with local_files(LocalObjectStore(tmp_path), ["/a/b.parquet"], tmp_path) as paths:
        assert paths() == ["/a/b.parquet"]
