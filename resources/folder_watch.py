"""Tells cheaply that in a tree of folders nothing has appeared, vanished or been renamed."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.folder_walk import is_hidden

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_Stamp = tuple[int, int, int, int]
_Place = tuple[int, int]

_DOUBT_NS = 2_000_000_000
"""More than a clock tick of the file system: two changes within one leave the same time; fresh times prove nothing."""


@dataclass(frozen=True, slots=True)
class FolderWatch:
    """The folders as they were when it was made. A file that is overwritten in place changes no folder."""

    _stamps: Mapping[str, _Stamp | None]
    _made_ns: int

    def is_unchanged(self) -> bool:
        """Return whether no name has changed since; False also while that cannot be told yet."""
        newest = max((max(stamp[2:]) for stamp in self._stamps.values() if stamp), default=0)
        if newest > self._made_ns - _DOUBT_NS:
            return False
        return all(_stamp(folder) == stamp for folder, stamp in self._stamps.items())


def watch_folder(folder: str, now_ns: int) -> FolderWatch:
    """Watch `folder`, which may not exist yet, and all below it that are listed."""
    return FolderWatch(dict(_stamped(folder, frozenset())), now_ns)


def _stamped(folder: str, above: frozenset[_Place]) -> Iterator[tuple[str, _Stamp | None]]:
    stamp = _stamp(folder)  # before its names are read: what comes in between is seen as a change
    yield folder, stamp
    if stamp is not None and stamp[:2] not in above:  # a link may lead back
        for name in _folders_in(folder):
            yield from _stamped(f"{folder}/{name}", above | {stamp[:2]})


def _stamp(folder: str) -> _Stamp | None:
    """Return what it is and when it changed; its ctime, because `rsync -a` and `cp -p` set the mtime back."""
    try:
        status = os.stat(folder)  # noqa: PTH116  a thousand times a second
    except (FileNotFoundError, NotADirectoryError):
        return None
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


def _folders_in(folder: str) -> list[str]:
    try:
        with closing(os.scandir(folder)) as entries:
            return [entry.name for entry in entries if not is_hidden(entry.name) and _is_folder(entry)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere, or in circles
        return False
