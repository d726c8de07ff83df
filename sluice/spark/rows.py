"""The rows that tasks hand to Spark: good records, rejected records, and one account for each object."""

from __future__ import annotations

from contextlib import closing
from enum import IntEnum
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from sluice.quarantine import REASONS
from sluice.sql_types import duckdb_type, quote_identifier

if TYPE_CHECKING:
    from sluice.contract import Contract


class Kind(IntEnum):
    """What a row is. Spark keeps them in one table, so that each object is read once."""

    GOOD = 0
    BAD = 1
    TOLD = 2


_HEAD: dict[str, pa.DataType] = {
    "kind": pa.int32(),
    "obj": pa.int32(),
    "line_no": pa.int64(),
    "raw": pa.binary(),
    "reasons": REASONS,
    "texts": pa.list_(pa.string()),  # the values of unique columns as reasons show them
    "told": pa.string(),
}


def column_names(contract: Contract) -> tuple[str, ...]:
    """Return the rows' names for the contract's columns: its own may hold dots, which Spark reads as paths."""
    return tuple(f"c{number}" for number in range(len(contract.columns)))


def row_schema(contract: Contract) -> pa.Schema:
    """Return the rows' schema; the types of columns are those that DuckDB gives them."""
    nulls = ", ".join(
        f"CAST(NULL AS {duckdb_type(column.type)}) AS {name}"
        for column, name in zip(contract.columns, column_names(contract), strict=True)
    )
    with closing(duckdb.connect(config={"threads": 1})) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        typed = connection.sql(f"SELECT {nulls}").to_arrow_reader().schema
    return pa.schema([*pa.schema(_HEAD), *typed])


def renamed(contract: Contract) -> str:
    """Return the SQL list that gives columns their own names and exact types again."""
    return ", ".join(
        f"CAST({name} AS {duckdb_type(column.type)}) AS {quote_identifier(column.name)}"
        for column, name in zip(contract.columns, column_names(contract), strict=True)
    )


def fitted(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return the batch with exactly the schema's columns; those that it lacks are NULL."""
    present = set(batch.schema.names)
    columns = [
        batch.column(field.name).cast(field.type) if field.name in present else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
