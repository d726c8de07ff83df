"""Copies a file into the raw zone so that a reader sees all of it or nothing; the file itself stays where it is."""

from __future__ import annotations

import io
import shutil
import tempfile
from enum import Enum, StrEnum, auto
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sluice.errors import LandingRefused
from sluice.replaced import replaced_key

if TYPE_CHECKING:
    from resources.object_store import ObjectStore

_CHUNK_BYTES = 1 << 20


class Landed(StrEnum):
    NEW = "new"
    REPLACED = "replaced"
    ALREADY_THERE = "already there"  # the same bytes under the same key: nothing was written


def land_file(store: ObjectStore, file: Path, key: str, scratch: Path, *, replace: bool = False) -> Landed:
    """Make a copy of `file` the object `key`; `scratch` should be on the store's file system.

    Raises LandingRefused when the file cannot be read, or when other bytes are there and `replace` is not set.
    """
    try:
        source = file.open("rb")
    except OSError as error:
        raise LandingRefused(f"{file} cannot be read: {error.strerror}.", cure="Name a readable file.") from error
    with source:
        present = _compare(store, key, source)
        if present is _Present.SAME:
            return Landed.ALREADY_THERE
        if replace and present is _Present.OTHER:
            _keep(store, key, scratch)
        if _put_copy(store, source, key, scratch, only_if_absent=not replace):
            return Landed.NEW if present is _Present.NOTHING else Landed.REPLACED
    raise LandingRefused(
        f"{key} is there already, with other content than {file}.",
        cure="Give the file another name, or overwrite it with --replace: its partition is then built again.",
    )


def land_bytes(store: ObjectStore, body: bytes, key: str, scratch: Path) -> Landed:
    """Make `body` the object `key` unless there is one, whatever it holds."""
    landed = _put_copy(store, io.BytesIO(body), key, scratch, only_if_absent=True)
    return Landed.NEW if landed else Landed.ALREADY_THERE


class _Present(Enum):
    NOTHING = auto()
    SAME = auto()
    OTHER = auto()


def _compare(store: ObjectStore, key: str, source: BinaryIO) -> _Present:
    try:
        present = store.open(key)
    except FileNotFoundError:
        return _Present.NOTHING
    with present:
        while True:
            mine, theirs = source.read(_CHUNK_BYTES), present.read(_CHUNK_BYTES)
            if mine != theirs:
                return _Present.OTHER
            if not mine:
                return _Present.SAME


def _keep(store: ObjectStore, key: str, scratch: Path) -> None:
    """Keep the bytes that are about to be replaced: what was built from them can be built again.

    A second name for the same file costs nothing. Repeating it after a kill finds them kept.
    """
    etag = store.etag(key)
    if etag is None:  # somebody took it away meanwhile
        return
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".landing-", dir=scratch) as folder:
        kept = Path(folder) / "kept"
        try:
            kept.hardlink_to(store.uri(key))
        except OSError:  # no file here, another disk, or a file system without links
            with store.open(key) as present, kept.open("wb") as target:
                shutil.copyfileobj(present, target, _CHUNK_BYTES)
        store.put(replaced_key(key, etag), kept, only_if_absent=True)


def _put_copy(store: ObjectStore, source: BinaryIO, key: str, scratch: Path, *, only_if_absent: bool) -> bool:
    source.seek(0)
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".landing-", dir=scratch) as folder:
        copy = Path(folder) / "copy"
        with copy.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK_BYTES)
        return store.put(key, copy, only_if_absent=only_if_absent)
