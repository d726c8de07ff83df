"""A DuckDB connection that sees the rows of the staged files as the view `staged`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.duckdb_sessions import Connect, Limits, connect
from sluice.sql_types import quote_literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

STAGED = "staged"


def open_staged(paths: Sequence[str], workspace: Path | None, connect: Connect = connect) -> DuckDBPyConnection:
    """Open the view with bounded memory; what does not fit spills to `workspace`, or is an error without one."""
    connection = connect(workspace, Limits())
    files = ", ".join(quote_literal(path) for path in paths)
    # Staged files lie below `date=...`, which DuckDB's SQL takes for a column, in place of a real one of that name.
    rows = f"read_parquet([{files}], hive_partitioning = false)"
    connection.execute(f"CREATE TEMP VIEW {STAGED} AS SELECT * FROM {rows}")
    return connection
