"""What every object store does, and what only the local one can."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from resources.clock import ManualClock
from resources.object_store import LocalObjectStore, MemoryObjectStore
from resources.s3_store import S3ObjectStore

if TYPE_CHECKING:
    from resources.object_store import ObjectStore, SweptStore
    from tests.aws_server import AwsServer

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


IN_S3 = [pytest.param(kind, marks=pytest.mark.aws) for kind in ("s3", "s3 with versions")]


@pytest.fixture(params=["local", "memory", *IN_S3])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SweptStore:
    match request.param:
        case "local":
            return LocalObjectStore(tmp_path / "store")
        case "memory":
            return MemoryObjectStore(ManualClock(NOON))
        case kind:
            aws: AwsServer = request.getfixturevalue("aws")
            bucket = aws.new_bucket(f"store-{uuid4().hex}", versioned=kind == "s3 with versions")
            return S3ObjectStore(aws.place(bucket, "lake/"))


@pytest.fixture
def local(tmp_path: Path) -> LocalObjectStore:
    return LocalObjectStore(tmp_path / "store")


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "source"
    path.write_bytes(content)
    return path


def _put(store: ObjectStore, folder: Path, *keys: str) -> None:
    for key in keys:
        store.put(key, _file(folder, key.encode()))


def _keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [item.key for item in store.list(prefix)]


class TestEveryObjectStore:
    def test_what_was_put_is_read_back(self, store: ObjectStore, tmp_path: Path) -> None:
        assert store.put("raw/orders/a.jsonl", _file(tmp_path, b"one\n")) is True

        with store.open("raw/orders/a.jsonl") as file:
            assert file.read() == b"one\n"

    def test_what_is_removed_is_gone_and_may_be_removed_again(self, store: SweptStore, tmp_path: Path) -> None:
        _put(store, tmp_path, "processed/a", "processed/b")

        store.remove("processed/a")
        store.remove("processed/a")

        assert _keys(store) == ["processed/b"]

    def test_everything_lists_hidden_objects_too(self, store: SweptStore, tmp_path: Path) -> None:
        _put(store, tmp_path, "processed/v/_outcome.json", "processed/v/a", "processed/w/.put-1", "raw/a")

        assert [item.key for item in store.everything("processed/")] == [
            "processed/v/_outcome.json",
            "processed/v/a",
            "processed/w/.put-1",
        ]

    def test_a_put_file_is_gone_afterwards(self, store: ObjectStore, tmp_path: Path) -> None:
        source = _file(tmp_path, b"one\n")

        store.put("raw/a", source)

        assert not source.exists()

    def test_put_replaces_an_object(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put("raw/a", _file(tmp_path, b"one"))

        store.put("raw/a", _file(tmp_path, b"two"))

        with store.open("raw/a") as file:
            assert file.read() == b"two"

    def test_put_only_if_absent_leaves_an_object_and_the_file_alone(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put("raw/a", _file(tmp_path, b"one"))
        source = _file(tmp_path, b"two")

        assert store.put("raw/a", source, only_if_absent=True) is False

        with store.open("raw/a") as file:
            assert file.read() == b"one"
        assert source.read_bytes() == b"two"

    def test_put_only_if_absent_makes_an_object_that_is_not_there(self, store: ObjectStore, tmp_path: Path) -> None:
        source = _file(tmp_path, b"one")

        assert store.put("raw/a", source, only_if_absent=True) is True

        assert _keys(store) == ["raw/a"]
        assert not source.exists()

    def test_the_etag_changes_with_the_content_and_only_then(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put("raw/a", _file(tmp_path, b"one"))
        before = [store.etag("raw/a"), store.etag("raw/a")]

        store.put("raw/a", _file(tmp_path, b"two"))

        assert before[0] == before[1]
        assert before[0] != store.etag("raw/a")

    def test_what_was_listed_has_an_etag_until_something_else_is_there(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        store.put("raw/a", _file(tmp_path, b"one"))
        (listed,) = store.list("raw/a")
        before = store.etag("raw/a", stamp=listed.stamp)

        store.put("raw/a", _file(tmp_path, b"two"))

        assert before is not None
        assert store.etag("raw/a", stamp=listed.stamp) is None
        assert before != store.etag("raw/a") is not None

    def test_an_object_is_opened_by_its_etag(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put("raw/a", _file(tmp_path, b"one"))

        with store.open("raw/a", etag=store.etag("raw/a")) as file:
            assert file.read() == b"one"

    def test_an_object_is_sought_in(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put("raw/a", _file(tmp_path, b"0123456789"))

        with store.open("raw/a") as file:
            found = [file.read(3), file.seek(0), file.read(2), file.seek(-2, os.SEEK_END), file.read(), file.read()]

        assert found == [b"012", 0, b"01", 8, b"89", b""]

    def test_an_empty_object_is_read(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put("raw/a", _file(tmp_path, b""))

        with store.open("raw/a") as file:
            assert file.read() == b""
        assert [item.size for item in store.list("raw/")] == [0]

    @pytest.mark.parametrize("key", ["raw/nothing", "raw", "raw/a/below", "nowhere/at/all"])
    def test_a_key_without_object_has_no_etag_and_cannot_be_opened(
        self, store: ObjectStore, tmp_path: Path, key: str
    ) -> None:
        store.put("raw/a", _file(tmp_path, b"one"))

        assert store.etag(key) is None
        with pytest.raises(FileNotFoundError):
            store.open(key)

    def test_a_listing_is_in_key_order(self, store: ObjectStore, tmp_path: Path) -> None:
        keys = ["raw/a-b/1", "raw/a.b", "raw/a/1", "raw/a/2/3", "raw/a0", "raw/ä", "raw/b"]
        _put(store, tmp_path, *reversed(keys))

        assert _keys(store, "raw/") == sorted(keys)

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            pytest.param("", ["processed/x", "raw/orders/1", "raw/orders/2", "raw/orders_old/1"], id="everything"),
            pytest.param("raw/", ["raw/orders/1", "raw/orders/2", "raw/orders_old/1"], id="a zone"),
            pytest.param("raw/orders/", ["raw/orders/1", "raw/orders/2"], id="a folder"),
            pytest.param("raw/orders", ["raw/orders/1", "raw/orders/2", "raw/orders_old/1"], id="the start of a name"),
            pytest.param("raw/orders/2", ["raw/orders/2"], id="an object"),
            pytest.param("raw/payments/", [], id="nothing"),
        ],
    )
    def test_a_listing_is_limited_to_its_prefix(
        self, store: ObjectStore, tmp_path: Path, prefix: str, expected: list[str]
    ) -> None:
        _put(store, tmp_path, "raw/orders/1", "raw/orders/2", "raw/orders_old/1", "processed/x")

        assert _keys(store, prefix) == expected

    @pytest.mark.parametrize("key", ["raw/_outcome.json", "raw/.part", "raw/_temporary/part", "raw/.git/config"])
    def test_names_in_the_making_are_not_listed(self, store: ObjectStore, tmp_path: Path, key: str) -> None:
        _put(store, tmp_path, key, "raw/a")

        assert _keys(store, "raw/") == ["raw/a"]
        assert store.etag(key) is not None

    def test_a_listing_tells_the_size(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put("raw/a", _file(tmp_path, b"12345"))

        assert [item.size for item in store.list("raw/")] == [5]

    def test_the_stamp_changes_with_the_content_and_only_then(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put("raw/a", _file(tmp_path, b"one"))
        before = [item.stamp for item in store.list("raw/")]
        again = [item.stamp for item in store.list("raw/")]

        store.put("raw/a", _file(tmp_path, b"two"))

        assert again == before
        assert [item.stamp for item in store.list("raw/")] != before

    def test_times_are_aware_utc(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put("raw/a", _file(tmp_path, b"one"))

        assert [item.modified_at.utcoffset() for item in store.list("raw/")] == [timedelta(0)]

    @pytest.mark.parametrize("key", ["", "/raw/a", "raw//a", "raw/../a", "raw/./a", "raw/", "raw/\0"])
    def test_what_is_not_a_key_is_refused(self, store: ObjectStore, tmp_path: Path, key: str) -> None:
        with pytest.raises(ValueError, match="is not an object key"):
            store.put(key, _file(tmp_path, b"one"))


class TestLocalObjectStore:
    def test_the_etag_is_the_hash_of_the_content(self, local: LocalObjectStore, tmp_path: Path) -> None:
        _put(local, tmp_path, "raw/c")
        local.put("raw/a", _file(tmp_path, b"one"))
        local.put("raw/b", _file(tmp_path, b"one"))

        assert local.etag("raw/a") == local.etag("raw/b") == "c88d4df74262143a08e9d190e3bd67f1"
        assert local.etag("raw/c") != local.etag("raw/a")

    def test_a_file_keeps_its_time(self, local: LocalObjectStore, tmp_path: Path) -> None:
        source = _file(tmp_path, b"one")
        os.utime(source, (NOON.timestamp(), NOON.timestamp()))

        local.put("raw/a", source)

        assert [item.modified_at for item in local.list("raw/")] == [NOON]

    def test_a_uri_is_the_path_of_the_file(self, local: LocalObjectStore, tmp_path: Path) -> None:
        local.put("raw/a", _file(tmp_path, b"one"))

        assert Path(local.uri("raw/a")).read_bytes() == b"one"

    def test_a_store_without_folder_is_empty(self, local: LocalObjectStore) -> None:
        assert _keys(local, "raw/") == []

    def test_files_that_others_wrote_are_objects(self, local: LocalObjectStore, tmp_path: Path) -> None:
        folder = tmp_path / "store" / "raw"
        folder.mkdir(parents=True)
        (folder / "a").write_bytes(b"one")

        assert _keys(local) == ["raw/a"]

    def test_a_change_that_keeps_inode_size_and_mtime_changes_the_stamp(
        self, local: LocalObjectStore, tmp_path: Path
    ) -> None:
        local.put("raw/a", _file(tmp_path, b"one"))
        path = Path(local.uri("raw/a"))
        before, status = [item.stamp for item in local.list("raw/")], path.stat()

        path.write_bytes(b"two")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

        assert [item.stamp for item in local.list("raw/")] != before

    def test_a_link_back_to_a_folder_above_is_not_followed(self, local: LocalObjectStore, tmp_path: Path) -> None:
        local.put("raw/orders/a", _file(tmp_path, b"one"))
        (tmp_path / "store" / "raw" / "orders" / "loop").symlink_to(tmp_path / "store" / "raw")
        (tmp_path / "store" / "raw" / "self").symlink_to(".")

        assert _keys(local, "raw/") == ["raw/orders/a"]

    def test_a_linked_folder_is_listed(self, local: LocalObjectStore, tmp_path: Path) -> None:
        local.put("raw/orders/a", _file(tmp_path, b"one"))
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "b").write_bytes(b"two")
        (tmp_path / "store" / "raw" / "linked").symlink_to(tmp_path / "elsewhere")

        assert _keys(local, "raw/") == ["raw/linked/b", "raw/orders/a"]

    def test_links_to_nowhere_and_pipes_are_not_objects(self, local: LocalObjectStore, tmp_path: Path) -> None:
        local.put("raw/a", _file(tmp_path, b"one"))
        (tmp_path / "store" / "raw" / "dangling").symlink_to("nothing")
        os.mkfifo(tmp_path / "store" / "raw" / "pipe")

        assert _keys(local, "raw/") == ["raw/a"]

    def test_a_name_that_is_not_utf8_is_not_listed(self, local: LocalObjectStore, tmp_path: Path) -> None:
        local.put("raw/a", _file(tmp_path, b"one"))
        Path(os.fsdecode(os.fsencode(tmp_path / "store" / "raw") + b"/b\xff")).write_bytes(b"two")

        assert _keys(local, "raw/") == ["raw/a"]

    def test_folders_that_vanish_during_a_listing_are_left_out(self, local: LocalObjectStore, tmp_path: Path) -> None:
        _put(local, tmp_path, "raw/a/1", "raw/b/1", "raw/c")
        listing = local.list("raw/")
        first = next(listing)

        Path(local.uri("raw/b/1")).unlink()
        (tmp_path / "store" / "raw" / "b").rmdir()

        assert [first.key, *(item.key for item in listing)] == ["raw/a/1", "raw/c"]

    def test_a_file_from_another_file_system_is_copied(self, local: LocalObjectStore, tmp_path: Path) -> None:
        source = _file(_other_file_system(tmp_path), b"one")

        assert local.put("raw/a", source) is True

        assert Path(local.uri("raw/a")).read_bytes() == b"one"
        assert not source.exists()
        assert _names(tmp_path / "store" / "raw") == ["a"]

    def test_a_file_from_another_file_system_is_left_when_the_object_exists(
        self, local: LocalObjectStore, tmp_path: Path
    ) -> None:
        local.put("raw/a", _file(tmp_path, b"one"))
        source = _file(_other_file_system(tmp_path), b"two")

        assert local.put("raw/a", source, only_if_absent=True) is False

        assert source.read_bytes() == b"two"
        assert _names(tmp_path / "store" / "raw") == ["a"]
        source.unlink()


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _other_file_system(folder: Path) -> Path:
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == folder.stat().st_dev:
        pytest.skip("needs a second file system")
    other = shared_memory / f"sluice-test-{os.getpid()}"
    other.mkdir(exist_ok=True)
    return other
