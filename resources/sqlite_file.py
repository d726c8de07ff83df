"""A new SQLite database that several processes may want at once appears whole, or not yet."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def make_once(database: Path, fill: Callable[[Path], None]) -> None:
    """Create the file `database` unless it is there: `fill` makes it under another name, in write-ahead mode.

    Changing to write-ahead mode later needs a moment without other readers, which SQLite does not wait for.
    """
    if database.exists():
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    draft = database.with_name(f".{database.name}-{secrets.token_hex(8)}")
    try:
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        fill(draft)
        os.link(draft, database)
    except FileExistsError:
        return  # another process was faster
    finally:
        draft.unlink()
