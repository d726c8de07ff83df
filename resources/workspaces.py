"""The folder for work in progress: what killed processes left in it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sluice.maintenance.left import Left

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Workspaces:
    folder: Path

    def left(self, before: datetime) -> tuple[Left, ...]:
        """Return the entries in which nothing was written since `before`."""
        names = sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []
        seen = ((name, _measure(self.folder / name)) for name in names)
        return tuple(Left(name, size) for name, (size, newest) in seen if newest < before.timestamp())

    def remove(self, left: Left) -> None:
        """Remove an entry and all that is in it; one that is gone by now is fine."""
        path = self.folder / left.name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)  # another maintenance may be at it; what stays is found again
        else:
            path.unlink(missing_ok=True)


def _measure(path: Path) -> tuple[int, float]:
    """Return bytes and the newest change of all that is there; what vanishes meanwhile counts as new."""
    places = [path, *(path.rglob("*") if path.is_dir() and not path.is_symlink() else ())]
    try:
        found = [place.lstat() for place in places]
    except FileNotFoundError:
        return 0, datetime.now(UTC).timestamp()
    return sum(item.st_size for item in found), max(item.st_mtime for item in found)
