"""The end of every change of a table: it is committed or not, and the files it shows are there or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyiceberg.io import FileIO
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Transaction


def commit(transaction: Transaction) -> bool:
    """Commit; False when it is lost or when its fate is not known, which a look at the table settles."""
    try:
        transaction.commit_transaction()
    except (CommitFailedException, CommitStateUnknownException, OperationalError, TimeoutError):
        return False
    return True


def missing_files(io: FileIO, files: Iterable[DataFile]) -> tuple[DataFile, ...]:
    """Return the files that are gone, or are other files now."""
    return tuple(file for file in files if not _is_there(io, file))


def _is_there(io: FileIO, file: DataFile) -> bool:
    found = io.new_input(file.file_path)
    return found.exists() and len(found) == file.file_size_in_bytes
