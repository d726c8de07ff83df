"""Moves a file to its final name so that readers see all of it or nothing, and a power cut does not take it back."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def move(source: Path, target: Path, *, only_if_absent: bool) -> bool:
    """Give `source` the name `target`, across file systems too; False when `only_if_absent` and `target` exists."""
    _make_folder(target.parent)
    try:
        moved = _rename(source, target, only_if_absent=only_if_absent)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        moved = _copy_and_rename(source, target, only_if_absent=only_if_absent)
    if moved:
        _sync(target.parent)
    return moved


def remove(path: Path) -> None:
    """Remove a file so that a power cut does not bring it back; its folder stays: somebody may be about to use it."""
    try:
        path.unlink()
    except FileNotFoundError:
        return
    _sync(path.parent)


def _rename(source: Path, target: Path, *, only_if_absent: bool) -> bool:
    _sync(source)
    if not only_if_absent:
        source.replace(target)
        return True
    try:
        os.link(source, target)  # unlike rename it fails, atomically, when the target exists
    except FileExistsError:
        return False
    source.unlink()
    return True


def _copy_and_rename(source: Path, target: Path, *, only_if_absent: bool) -> bool:
    copy = target.with_name(f".put-{secrets.token_hex(8)}")
    try:
        shutil.copy2(source, copy)
        moved = _rename(copy, target, only_if_absent=only_if_absent)
    finally:
        copy.unlink(missing_ok=True)
    if moved:
        source.unlink()
    return moved


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
