"""A DuckDB connection that sees the rows of the staged files as the view `staged`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STAGED = "staged"
_MEMORY_BYTES = 1_200_000_000


def open_staged(paths: Sequence[str], workspace: Path | None) -> duckdb.DuckDBPyConnection:
    """Open the view with bounded memory; what does not fit spills to `workspace`, or is an error without one."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{_MEMORY_BYTES}B",
        "temp_directory": str(workspace / "spill") if workspace else "",
        "preserve_insertion_order": False,
    }
    connection = duckdb.connect(config=config)
    connection.execute("SET TimeZone = 'UTC'")
    # Staged files lie below `date=...`, which DuckDB's SQL takes for a column, in place of a real one of that name.
    connection.read_parquet(list(paths), hive_partitioning=False).create_view(STAGED)
    return connection
