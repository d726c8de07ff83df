"""Runs a transform.sql: published tables of one partition in, its rows as one local Parquet file out."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import duckdb

from sluice.contract import PARTITION_COLUMN
from sluice.derivation import transform_path
from sluice.duckdb_sessions import connect
from sluice.errors import TransformInvalid
from sluice.sql_types import duckdb_type, quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from sluice.contract import Contract
    from sluice.duckdb_sessions import Limits

    Input = tuple[Contract, Sequence[str]]


_RESULT = "_sluice_result"


def write_derived(contract: Contract, inputs: Mapping[str, Input], target: Path, limits: Limits) -> None:
    """Write what the query gives to `target`; inputs are, by table name, the contract and the data files to show.

    Raises TransformInvalid when DuckDB refuses the query or its columns are not the contract's.
    """
    with closing(connect(target.parent, limits)) as connection:
        for name, (declared, files) in inputs.items():
            connection.execute(f"CREATE VIEW {quote_identifier(name)} AS {_rows(declared, files)}")
        _check_columns(connection, contract)
        file = quote_literal(str(target))
        connection.execute(f"COPY (FROM {_RESULT}) TO {file} (FORMAT parquet, COMPRESSION zstd)")


def _rows(declared: Contract, files: Sequence[str]) -> str:
    """Every declared column, NULL where a file was written before the contract had it."""
    typed = [(column.name, duckdb_type(column.type)) for column in declared.columns] + [(PARTITION_COLUMN, "DATE")]
    nothing = ", ".join(f"CAST(NULL AS {kind}) AS {quote_identifier(name)}" for name, kind in typed)
    rows = f"SELECT {nothing} WHERE false"
    if files:
        listed = ", ".join(quote_literal(file) for file in files)
        options = "union_by_name = true, hive_partitioning = false"
        rows += f" UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], {options})"
    return f"SELECT {', '.join(quote_identifier(name) for name, _ in typed)} FROM ({rows})"


def _check_columns(connection: DuckDBPyConnection, contract: Contract) -> None:
    path = transform_path(contract)
    try:
        # A view, and not a subquery, because the query may end in a semicolon and a comment.
        connection.execute(f"CREATE VIEW {_RESULT} AS\n{contract.transform_sql or ''}")
        described = connection.execute(f"DESCRIBE {_RESULT}").fetchall()
    except duckdb.Error as error:
        raise TransformInvalid(path=path, problem=str(error), cure="Correct the query.") from error
    found = {str(row[0]) for row in described}
    declared = {column.name for column in contract.columns}
    if found != declared:
        lacking, extra = ", ".join(sorted(declared - found)) or "none", ", ".join(sorted(found - declared)) or "none"
        raise TransformInvalid(
            path=path,
            problem=f"its columns are not the contract's (lacking: {lacking}; undeclared: {extra}).",
            cure="Name every column of the contract in the SELECT, with AS, and no other.",
        )
