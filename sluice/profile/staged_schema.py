"""The columns of a staged file and those a contract declares, spelled alike so that they compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract import PARTITION_COLUMN, STATUS_COLUMN
from sluice.sql_types import duckdb_type, quote_identifier

if TYPE_CHECKING:
    import pyarrow as pa

    from sluice.contract import Contract

StagedSchema = tuple[tuple[str, str], ...]
"""(column, type), types as `duckdb_type` spells them."""

_NAMES = {
    "string": "VARCHAR",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "date32[day]": "DATE",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
}


def declared_schema(contract: Contract) -> StagedSchema:
    """Return what every staged file of the contract must have; `partition_date` is the last column."""
    return (*((column.name, duckdb_type(column.type)) for column in contract.columns), (PARTITION_COLUMN, "DATE"))


def staged_schema(schema: pa.Schema) -> StagedSchema:
    """Return the columns of a file, but for the one that flags a stand-in, which is Sluice's own.

    A type that no contract can declare keeps its Arrow name, so it equals none.
    """
    return tuple((field.name, _name(field.type)) for field in schema if field.name != STATUS_COLUMN)


def _name(kind: pa.DataType) -> str:
    from pyarrow import types

    if types.is_decimal128(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if types.is_struct(kind):
        members = (kind.field(number) for number in range(kind.num_fields))
        return f"STRUCT({', '.join(f'{quote_identifier(member.name)} {_name(member.type)}' for member in members)})"
    if types.is_list(kind):
        return f"{_name(kind.value_type)}[]"
    return _NAMES.get(str(kind), str(kind))
