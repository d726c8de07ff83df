"""Port: a flat space of immutable-by-convention objects (the raw, processed and quarantine zones live in one)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Listed:
    """One object as a listing shows it.

    `stamp` changes whenever the content may have changed and is cheap (local: inode, size and mtime in ns; S3: ETag).
    Names whose last part starts with `.` or `_` are never listed: writers use them for files in the making.
    """

    key: str
    size: int
    stamp: str
    modified_at: datetime


class ObjectStore(Protocol):
    """Keys use `/` and never start with one."""

    def list(self, prefix: str) -> Iterator[Listed]:
        """Yield the objects below `prefix` in key order."""

    def etag(self, key: str) -> str | None:
        """Return what identifies the present content (local: 32 hex digits of its hash), or None when there is no object."""

    def open(self, key: str) -> BinaryIO:
        """Open for reading; raises FileNotFoundError."""

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:
        """Make the file `source` the object `key`, atomically; `source` is gone afterwards.

        Returns False, and changes nothing, when `only_if_absent` is set and the object exists.
        """

    def uri(self, key: str) -> str:
        """Return what engines (DuckDB, Iceberg) open: an absolute path or a URL."""
