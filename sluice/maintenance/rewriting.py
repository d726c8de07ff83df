"""Small Parquet files rewritten as one that holds the same rows, which is checked before anybody sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow.parquet as pq

from sluice.errors import CompactionUnfaithful
from sluice.sql_types import quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

_ROW_GROUP_RECORDS = 122_880
_MEMORY = "1GB"


def rewrite(sources: Sequence[Path], target: Path, *, sort_by: Sequence[str] = (), partition: str = "") -> int:
    """Write the rows of `sources` to `target`, in the order of `sort_by`, and return how many there are.

    DuckDB spills to the folder of `target`. Raises CompactionUnfaithful when the file would say something else.
    """
    if len({_columns(source) for source in sources}) > 1:
        raise CompactionUnfaithful(partition=partition, problem="the files do not have the same columns")
    with duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": str(target.parent / "spill")}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        order = f"ORDER BY {', '.join(quote_identifier(name) for name in sort_by)}" if sort_by else ""
        connection.execute(
            f"COPY (SELECT * FROM {_rows_of(sources)} {order}) TO {quote_literal(str(target))} "
            f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {_ROW_GROUP_RECORDS})"
        )
        before, after = _checksum(connection, sources), _checksum(connection, [target])
    if before != after or _columns(sources[0]) != _columns(target):
        raise CompactionUnfaithful(
            partition=partition, problem=f"{before[0]} rows went in, {after[0]} came out changed"
        )
    return after[0]


def _checksum(connection: DuckDBPyConnection, files: Sequence[Path]) -> tuple[int, int]:
    """Return the number of rows and the sum of their hashes, which no order changes and no pair cancels out."""
    query = f"SELECT count(*), coalesce(sum(hash(row_of)::HUGEINT), 0)::VARCHAR FROM {_rows_of(files)} AS row_of"
    rows, total = connection.execute(query).fetchall()[0]
    return int(rows), int(total)


def _rows_of(files: Sequence[Path]) -> str:
    listed = ", ".join(quote_literal(str(file)) for file in files)
    return f"read_parquet([{listed}], hive_partitioning = false)"


def _columns(file: Path) -> str:
    """Return names and types; whether NULL is allowed says more of the query that wrote a file than of its rows."""
    return str(pq.read_schema(file).remove_metadata()).replace(" not null", "")
