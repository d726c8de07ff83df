"""Whether two sets of Parquet files hold the same rows, whatever their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.sql_types import quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class RowsDigest:
    """How many rows, and a sum over a 64 bit hash of each: equal rows in any order give an equal one."""

    rows: int
    digest: int = 0


def digest_rows(connection: DuckDBPyConnection, files: Sequence[str], columns: Sequence[str]) -> RowsDigest:
    """Read the files once; a column that a file lacks counts as NULL."""
    if not files:
        return RowsDigest(0)
    row = ", ".join(quote_identifier(name) for name in columns)
    paths = ", ".join(quote_literal(file) for file in files)
    found = connection.execute(
        f"SELECT count(*), coalesce(sum(hash(row({row}))::HUGEINT), 0)"
        f" FROM read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
    ).fetchone()
    assert found is not None  # noqa: S101  an aggregate without groups has one row
    return RowsDigest(*found)
