"""A watch of the raw zone: what changes names is seen, and nothing is called unchanged that might not be."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from resources.folder_watch import FolderWatch, watch_folder
from resources.object_store import LocalObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


LATER_NS = 10_000_000_000


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    zone = tmp_path / "raw" / "orders"
    for day in ("date=2026-11-03", "date=2026-11-04"):
        (zone / day).mkdir(parents=True)
        (zone / day / "a.jsonl").write_text("{}\n")
    (tmp_path / "aside.jsonl").write_text("{}\n")
    return zone


@pytest.fixture
def watch(zone: Path) -> FolderWatch:
    return _watch_later(zone.parent)


def _watch_later(folder: Path) -> FolderWatch:
    """As if ten seconds had passed since the zone was last changed."""
    return watch_folder(str(folder), time.time_ns() + LATER_NS)


def test_a_zone_that_nobody_touches_is_unchanged(watch: FolderWatch) -> None:
    assert watch.is_unchanged()


def _add(zone: Path) -> None:
    (zone / "date=2026-11-03" / "b.jsonl").write_text("{}\n")


def _add_as_rsync_does(zone: Path) -> None:
    folder = zone / "date=2026-11-03"
    before = folder.stat()
    _add(zone)
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))


def _add_a_day(zone: Path) -> None:
    (zone / "date=2026-11-05").mkdir()


def _replace_a_folder(zone: Path) -> None:
    shutil.copytree(zone / "date=2026-11-03", zone.parents[1] / "copy")
    (zone / "date=2026-11-03").rename(zone.parents[1] / "old")
    (zone.parents[1] / "copy").rename(zone / "date=2026-11-03")


@pytest.mark.parametrize(
    "change",
    [
        _add,
        _add_as_rsync_does,
        _add_a_day,
        _replace_a_folder,
        lambda zone: (zone.parents[1] / "aside.jsonl").rename(zone / "date=2026-11-04" / "aside.jsonl"),
        lambda zone: (zone.parents[1] / "aside.jsonl").replace(zone / "date=2026-11-04" / "a.jsonl"),
        lambda zone: (zone / "date=2026-11-03" / "a.jsonl").unlink(),
        lambda zone: (zone / "date=2026-11-03" / "a.jsonl").rename(zone / "date=2026-11-03" / "b.jsonl"),
        lambda zone: zone.parent.rename(zone.parents[1] / "moved"),
        lambda zone: (zone / "date=2026-11-03" / "link").symlink_to(zone / "date=2026-11-04"),
    ],
    ids=[
        "a file is added",
        "a file is added and the folder's time set back",
        "a folder is added",
        "a folder is put in the place of another",
        "a file is moved in",
        "a file is moved over another",
        "a file is removed",
        "a file is renamed",
        "the zone is gone",
        "a link is added",
    ],
)
def test_a_change_of_names_is_seen(zone: Path, watch: FolderWatch, change: Callable[[Path], object]) -> None:
    change(zone)

    assert not watch.is_unchanged()


def test_a_watch_made_right_after_a_change_is_not_trusted(zone: Path) -> None:
    _add(zone)
    watch = LocalObjectStore(zone.parents[1]).watch("raw/")

    assert watch is not None
    assert not watch.is_unchanged()


def test_a_zone_that_does_not_exist_is_unchanged_until_it_does(tmp_path: Path) -> None:
    watch = _watch_later(tmp_path / "raw")

    unchanged = watch.is_unchanged()
    (tmp_path / "raw").mkdir()

    assert unchanged
    assert not watch.is_unchanged()


def test_what_a_link_leads_to_is_watched_once(zone: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (zone / "linked").symlink_to(tmp_path / "elsewhere")
    (zone / "back").symlink_to(zone)
    (zone / "nowhere").symlink_to(zone / "nothing")
    watch = _watch_later(zone.parent)

    unchanged = watch.is_unchanged()
    (tmp_path / "elsewhere" / "a.jsonl").write_text("{}\n")

    assert unchanged
    assert not watch.is_unchanged()
