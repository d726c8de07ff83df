"""The files below a folder in the order of their keys; names that start with `.` or `_` are files in the making."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_Place = tuple[int, int]  # what a folder is, whatever path led to it


def walk(folder: str, key: str, start: str = "", *, hidden: bool = False) -> Iterator[tuple[str, os.stat_result]]:
    """Yield (key, status) of the files in `folder`, whose key is `key`, that are below a name that begins with `start`.

    With `hidden`, files in the making are among them. What vanishes meanwhile is left out. Links are followed, but not
    back to a folder they lie in.
    """
    try:
        here = Path(folder).stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from _walk(folder, key, start, frozenset({(here.st_dev, here.st_ino)}), hidden=hidden)


def is_hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _walk(
    folder: str, key: str, start: str, above: frozenset[_Place], *, hidden: bool
) -> Iterator[tuple[str, os.stat_result]]:
    folders, files = _scan(folder, start, hidden=hidden)
    # A folder sorts as its name and a slash, which is how its keys sort among those of files.
    for name in sorted([*folders, *files]):
        if name in files:
            yield key + name, files[name]
        elif folders[name] not in above:
            yield from _walk(f"{folder}/{name[:-1]}", key + name, "", above | {folders[name]}, hidden=hidden)


def _scan(folder: str, start: str, *, hidden: bool) -> tuple[Mapping[str, _Place], Mapping[str, os.stat_result]]:
    folders, files = {}, {}
    try:
        with closing(os.scandir(folder)) as entries:
            for name, status in _statuses(entries, start, hidden=hidden):
                if stat.S_ISREG(status.st_mode):
                    files[name] = status
                elif stat.S_ISDIR(status.st_mode):
                    folders[f"{name}/"] = (status.st_dev, status.st_ino)
    except (FileNotFoundError, NotADirectoryError):
        return {}, {}
    return folders, files


def _statuses(entries: Iterable[os.DirEntry[str]], start: str, *, hidden: bool) -> Iterator[tuple[str, os.stat_result]]:
    for entry in entries:
        name = entry.name
        if name.startswith(start) and (hidden or not is_hidden(name)) and _is_text(name):
            try:
                yield name, entry.stat()
            except OSError:  # it has vanished, or is a link that leads nowhere
                continue


def _is_text(name: str) -> bool:
    # Bytes that are not UTF-8 come as lone surrogates, which no key can hold.
    return name.isprintable() or not any("\ud800" <= character <= "\udfff" for character in name)
