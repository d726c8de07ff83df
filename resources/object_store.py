"""Port: a flat space of immutable-by-convention objects (the raw, processed and quarantine zones live in one)."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

from resources.clock import Clock, SystemClock
from resources.folder_walk import is_hidden, walk
from resources.folder_watch import watch_folder
from resources.safe_move import move, remove

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 1 << 20


class Listed(NamedTuple):
    """One object as a listing shows it.

    `stamp` changes whenever the content may have changed and is cheap (local: inode, size, mtime and ctime; S3: ETag).
    Keys with a part that starts with `.` or `_` are never listed: writers use such names for files in the making.
    A tuple, because a sweep makes one for each object that ever landed.
    """

    key: str
    size: int
    stamp: str
    modified_at: datetime


class Watch(Protocol):
    def is_unchanged(self) -> bool:
        """Return whether no object has appeared, vanished or been renamed since. Overwriting need not be seen."""


class ObjectStore(Protocol):
    """Keys use `/` and never start with one."""

    def list(self, prefix: str) -> Iterator[Listed]:
        """Yield the objects whose key starts with `prefix`, in key order."""

    def watch(self, prefix: str) -> Watch | None:
        """Return what tells whether a listing would name other objects than now; None: only a listing can tell."""

    def etag(self, key: str, *, stamp: str | None = None) -> str | None:
        """Return what identifies the present content, or None without an object.

        `stamp` asks for what was listed with it: None as well once something else is there. Local: 32 hex digits of
        its hash. S3: its own ETag in quotes, and its version.
        """

    def open(self, key: str, *, etag: str | None = None) -> BinaryIO:
        """Open for reading; raises FileNotFoundError.

        `etag` asks for the content that had it. A store that keeps versions gives that one, others the present one or
        RawObjectChanged.
        """

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:
        """Make the file `source` the object `key`, atomically; `source` is gone afterwards.

        Returns False, and changes nothing, when `only_if_absent` is set and the object exists.
        """

    def uri(self, key: str) -> str:
        """Return what engines (DuckDB, Iceberg) open: an absolute path or a URL."""


class SweptStore(ObjectStore, Protocol):
    """A store that can be cleaned."""

    def everything(self, prefix: str) -> Iterator[Listed]:
        """Yield all objects as `list` does, those with hidden names included."""

    def remove(self, key: str) -> None:
        """Remove the object `key`, if it is there, for good."""


class LocalObjectStore:
    """Objects are the files below `root`. What `put` returned from survives a power cut."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.abspath(root))  # noqa: PTH100  # resolve() would replace links a user set on purpose

    def list(self, prefix: str) -> Iterator[Listed]:
        folder, _, start = prefix.rpartition("/")
        if has_hidden_part(folder):
            return
        path = self._path(folder) if folder else self._root
        for key, status in walk(str(path), f"{folder}/" if folder else "", start):
            yield _listed(key, status)

    def everything(self, prefix: str) -> Iterator[Listed]:
        folder, _, start = prefix.rpartition("/")
        path = self._path(folder) if folder else self._root
        for key, status in walk(str(path), f"{folder}/" if folder else "", start, hidden=True):
            yield _listed(key, status)

    def remove(self, key: str) -> None:
        remove(self._path(key))

    def watch(self, prefix: str) -> Watch | None:
        folder, _, _ = prefix.rpartition("/")
        return watch_folder(str(self._path(folder) if folder else self._root), time.time_ns())

    def etag(self, key: str, *, stamp: str | None = None) -> str | None:
        try:
            with self.open(key) as file:
                digest = _new_hash()
                while chunk := file.read(_CHUNK_BYTES):
                    digest.update(chunk)
                is_other = stamp is not None and stamp != _stamp(os.fstat(file.fileno()))  # now that all of it is read
        except FileNotFoundError:
            return None
        return None if is_other else digest.hexdigest()

    def open(self, key: str, *, etag: str | None = None) -> BinaryIO:  # noqa: ARG002  readers check its hash
        try:
            return self._path(key).open("rb")
        except (IsADirectoryError, NotADirectoryError) as error:
            raise FileNotFoundError(errno.ENOENT, "no object has this key", key) from error

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:
        return move(source, self._path(key), only_if_absent=only_if_absent)

    def uri(self, key: str) -> str:
        return str(self._path(key))

    def _path(self, key: str) -> Path:
        check_key(key)
        return self._root / key


class MemoryObjectStore:
    """Objects are bytes in this process; engines cannot open their URIs."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._objects: dict[str, tuple[bytes, Listed]] = {}
        self._puts = 0
        self._lock = threading.Lock()

    def list(self, prefix: str) -> Iterator[Listed]:
        for key, (_, listed) in sorted(self._objects.items()):
            if key.startswith(prefix) and not has_hidden_part(key):
                yield listed

    def everything(self, prefix: str) -> Iterator[Listed]:
        return (listed for key, (_, listed) in sorted(self._objects.items()) if key.startswith(prefix))

    def remove(self, key: str) -> None:
        self._objects.pop(key, None)

    def watch(self, prefix: str) -> Watch | None:  # noqa: ARG002
        return None

    def etag(self, key: str, *, stamp: str | None = None) -> str | None:
        content, listed = self._objects.get(key, (None, None))
        if content is None or listed is None or stamp not in {None, listed.stamp}:
            return None
        return _new_hash(content).hexdigest()

    def open(self, key: str, *, etag: str | None = None) -> BinaryIO:  # noqa: ARG002  readers check its hash
        if key not in self._objects:
            raise FileNotFoundError(errno.ENOENT, "no object has this key", key)
        return io.BytesIO(self._objects[key][0])

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:
        check_key(key)
        content = source.read_bytes()
        with self._lock:
            if only_if_absent and key in self._objects:
                return False
            self._puts += 1
            listed = Listed(key, len(content), str(self._puts), self._clock.now())
            self._objects[key] = (content, listed)
        source.unlink()
        return True

    def uri(self, key: str) -> str:
        return f"memory://{key}"


def _listed(key: str, status: os.stat_result) -> Listed:
    return Listed(key, status.st_size, _stamp(status), datetime.fromtimestamp(status.st_mtime, UTC))


def _stamp(status: os.stat_result) -> str:
    # ctime as well: `cp -p` over a file can keep its inode, size and mtime while its bytes change.
    return f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ctime_ns:x}"


def has_hidden_part(key: str) -> bool:
    return any(is_hidden(part) for part in key.split("/"))


def check_key(key: str) -> None:
    if any(part in ("", ".", "..") for part in key.split("/")) or "\0" in key:
        raise ValueError(f"{key!r} is not an object key: its parts are names, joined by /")


def _new_hash(content: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(content, digest_size=16)
