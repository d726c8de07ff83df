"""DuckDB connections that builds work on: to a database of their own, or to one that many small builds share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import duckdb

if TYPE_CHECKING:
    from types import TracebackType

    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Limits:
    """What one build may use. DuckDB spills to the workspace beyond `memory_bytes`; readers add about 300 MB."""

    memory_bytes: int = 1_200_000_000
    threads: int | None = None


Connect = Callable[[Path | None, Limits], "DuckDBPyConnection"]
"""Opens an empty place for temporary tables that spills to a workspace; without one, what does not fit is an error."""


def connect(workspace: Path | None, limits: Limits) -> DuckDBPyConnection:
    """Open a database that ends with its connection and speaks UTC."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{limits.memory_bytes}B",
        "temp_directory": str(workspace / "spill") if workspace else "",
        "preserve_insertion_order": False,
    }
    if limits.threads is not None:
        config["threads"] = limits.threads
    return _speaking_utc(duckdb.connect(config=config))


class SharedDatabase:
    """One database for builds that follow each other: opening one takes 15 ms of CPU, a session of it 0.1 ms.

    Temporary tables and views belong to their session and end with it, so make no others. Where it spills and how much
    it may use is settled here, for all sessions.
    """

    def __init__(self, workspace: Path, limits: Limits = Limits()) -> None:
        self._database = connect(workspace, limits)
        # It would keep the bytes of files that nobody reads again, up to the limit.
        self._database.execute("SET enable_external_file_cache = false")

    def connect(self, _workspace: Path | None, _limits: Limits) -> DuckDBPyConnection:
        return _speaking_utc(self._database.cursor())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._database.close()


def _speaking_utc(connection: DuckDBPyConnection) -> DuckDBPyConnection:
    connection.execute("SET TimeZone = 'UTC'")
    return connection
