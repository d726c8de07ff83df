from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from resources.landing import Landed, land_bytes, land_file
from resources.object_store import LocalObjectStore
from sluice.errors import LandingRefused
from sluice.replaced import replaced_key

if TYPE_CHECKING:
    from pathlib import Path

KEY = "raw/orders/date=2026-11-01/a.jsonl"


@pytest.fixture
def store(tmp_path: Path) -> LocalObjectStore:
    return LocalObjectStore(tmp_path / "home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n' * 300_000)
    return path


def content(store: LocalObjectStore) -> bytes:
    with store.open(KEY) as present:
        return present.read()


def test_a_landed_file_is_a_copy(store: LocalObjectStore, file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()

    landed = land_file(store, file, KEY, tmp_path / "scratch")

    assert landed is Landed.NEW
    assert content(store) == before == file.read_bytes()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_landing_the_same_again_changes_nothing(store: LocalObjectStore, file: Path, tmp_path: Path) -> None:
    land_file(store, file, KEY, tmp_path / "scratch")
    before = list(store.list("raw/"))

    landed = land_file(store, file, KEY, tmp_path / "scratch")

    assert landed is Landed.ALREADY_THERE
    assert list(store.list("raw/")) == before


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"a": 1}\n', id="a beginning of it"),
        pytest.param(b'{"a": 1}\n' * 300_001, id="more of it"),
        pytest.param(b'{"a": 2}\n' * 300_000, id="as long as it"),
    ],
)
def test_other_content_under_the_same_name_is_refused(
    store: LocalObjectStore, file: Path, tmp_path: Path, other: bytes
) -> None:
    land_file(store, file, KEY, tmp_path / "scratch")
    before = file.read_bytes()
    file.write_bytes(other)

    with pytest.raises(LandingRefused, match="--replace"):
        land_file(store, file, KEY, tmp_path / "scratch")

    assert content(store) == before


def test_replace_overwrites(store: LocalObjectStore, file: Path, tmp_path: Path) -> None:
    land_file(store, file, KEY, tmp_path / "scratch")
    file.write_bytes(b"new")

    landed = land_file(store, file, KEY, tmp_path / "scratch", replace=True)

    assert landed is Landed.REPLACED
    assert content(store) == b"new"


def test_replace_of_nothing_is_new(store: LocalObjectStore, file: Path, tmp_path: Path) -> None:
    assert land_file(store, file, KEY, tmp_path / "scratch", replace=True) is Landed.NEW


def test_a_file_that_cannot_be_read_is_refused(store: LocalObjectStore, tmp_path: Path) -> None:
    with pytest.raises(LandingRefused, match="cannot be read"):
        land_file(store, tmp_path / "missing", KEY, tmp_path / "scratch")


def test_bytes_land_once(store: LocalObjectStore, tmp_path: Path) -> None:
    first = land_bytes(store, b"first", KEY, tmp_path / "scratch")
    second = land_bytes(store, b"second", KEY, tmp_path / "scratch")

    assert (first, second) == (Landed.NEW, Landed.ALREADY_THERE)
    assert content(store) == b"first"


def kept(store: LocalObjectStore, etag: str | None) -> bytes:
    with store.open(replaced_key(KEY, str(etag))) as present:
        return present.read()


def test_what_is_replaced_is_kept_where_no_listing_shows_it(
    store: LocalObjectStore, file: Path, tmp_path: Path
) -> None:
    land_file(store, file, KEY, tmp_path / "scratch")
    etag, before = store.etag(KEY), file.read_bytes()
    file.write_bytes(b"corrected")

    land_file(store, file, KEY, tmp_path / "scratch", replace=True)

    assert kept(store, etag) == before
    assert content(store) == b"corrected"
    assert [item.key for item in store.list("raw/")] == [KEY]


def test_what_is_replaced_twice_is_kept_twice(store: LocalObjectStore, file: Path, tmp_path: Path) -> None:
    def replace_by(text: bytes) -> str | None:
        file.write_bytes(text)
        land_file(store, file, KEY, tmp_path / "scratch", replace=True)
        return store.etag(KEY)

    one, two, _, _ = (replace_by(text) for text in (b"one", b"two", b"one", b"three"))

    assert (kept(store, one), kept(store, two)) == (b"one", b"two")
