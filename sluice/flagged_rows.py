"""Writes rows that stand in for others: the same columns, the partition's date, and a column that says so."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import duckdb

from sluice.contract import PARTITION_COLUMN, STATUS_COLUMN
from sluice.sql_types import duckdb_type, quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sluice.contract import Contract
    from sluice.stand_in import Status

_ROW_GROUP_RECORDS = 122_880  # as every published file has them


def write_flagged(
    contract: Contract,
    files: Sequence[str],
    target: Path,
    *,
    partition: str,
    status: Status,
    memory_bytes: int = 1_200_000_000,
) -> int:
    """Write the rows of published Parquet files as rows of `partition`, in their order; return how many.

    A column that the files are too old to have is NULL.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_bytes}B",
        "temp_directory": str(target.parent / "spill"),
    }
    with closing(duckdb.connect(config=config)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f"COPY ({_rows(contract, files, partition, status)}) TO {quote_literal(str(target))} "
            f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {_ROW_GROUP_RECORDS})"
        )
        counted = connection.execute(f"SELECT count(*) FROM read_parquet({quote_literal(str(target))})").fetchone()
    return int(counted[0]) if counted else 0


def _rows(contract: Contract, files: Sequence[str], partition: str, status: Status) -> str:
    typed = [(column.name, duckdb_type(column.type)) for column in contract.columns]
    nothing = ", ".join(f"CAST(NULL AS {kind}) AS {quote_identifier(name)}" for name, kind in typed)
    listed = ", ".join(quote_literal(file) for file in files)
    names = ", ".join(f"CAST({quote_identifier(name)} AS {kind}) AS {quote_identifier(name)}" for name, kind in typed)
    return (
        f"SELECT {names}, DATE {quote_literal(partition)} AS {PARTITION_COLUMN}, "
        f"{quote_literal(status)} AS {STATUS_COLUMN} FROM (SELECT {nothing} WHERE false UNION ALL BY NAME "
        f"SELECT * FROM read_parquet([{listed}], union_by_name = true, hive_partitioning = false))"
    )
