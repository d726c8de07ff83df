"""The small file beside published rows: which record each of them is, so that other files can be compared with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.sql_types import quote_identifier, quote_literal
from sluice.transform.deduplication import PUBLISHABLE
from sluice.transform.record_sql import LINE_NO, OBJECT

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from sluice.contract import Contract

PLACE = ("obj", "line_no")
"""Columns of the file: the object's number among those that were read together, and the line."""
LATEST = "latest"
"""The value of the contract's order column."""


def key_columns(contract: Contract) -> tuple[str, ...]:
    """Return the file's names for the columns of the key: a contract's own might be one of the names above."""
    return tuple(f"key_{number}" for number in range(len(contract.primary_key)))


def write_keys(connection: DuckDBPyConnection, contract: Contract, target: Path) -> Path | None:
    """Write it for the publishable records with a whole key; no other record competes. No key, no file."""
    if not contract.primary_key:
        return None
    names = [quote_identifier(name) for name in contract.primary_key]
    keys = ", ".join(f"{name} AS {key}" for name, key in zip(names, key_columns(contract), strict=True))
    latest = quote_identifier(contract.order_by) if contract.order_by else "NULL::INTEGER"
    whole = " AND ".join(f"{name} IS NOT NULL" for name in names)
    obj, line_no = PLACE
    copy_keys(
        connection,
        f"SELECT {keys}, {latest} AS {LATEST}, {OBJECT} AS {obj}, {LINE_NO} AS {line_no} FROM {PUBLISHABLE} "
        f"WHERE {whole}",
        target,
    )
    return target


def copy_keys(connection: DuckDBPyConnection, query: str, target: Path) -> None:
    """Write keys, nearly all of which differ: as differences, without looking for a dictionary.

    That takes a third of the CPU and of the bytes that the settings of published files take. Only Sluice reads them.
    """
    connection.execute(
        f"COPY ({query}) TO {quote_literal(str(target))} "
        "(FORMAT parquet, PARQUET_VERSION V2, DICTIONARY_SIZE_LIMIT 1, COMPRESSION lz4_raw)"
    )
