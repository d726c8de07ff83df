"""The floor: every object through DuckDB's own reader into one Parquet file, which checks and publishes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from bench.one_day.measuring import measured

if TYPE_CHECKING:
    from pathlib import Path


def copy(folder: Path, workspace: Path) -> None:
    query = f"SELECT * FROM read_json('{folder}/*.gz', format = 'newline_delimited', ignore_errors = true)"
    duckdb.execute(f"COPY ({query}) TO '{workspace / 'copy.parquet'}' (FORMAT parquet, COMPRESSION zstd)")


if __name__ == "__main__":
    measured(copy)
