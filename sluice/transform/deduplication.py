"""Which good records give way to others: superseded versions of a key, and later holders of a unique value.

Works on the temporary table `parsed` that the transform fills; only records whose key may occur twice are ranked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from sluice.meeting_hashes import meeting_hashes
from sluice.sql_types import quote_identifier, quote_literal
from sluice.transform.record_sql import GOOD, LINE_NO, OBJECT

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from sluice.contract import Contract

PUBLISHABLE = "publishable"
"""View of the records that will be published."""


def drop_superseded(connection: DuckDBPyConnection, contract: Contract) -> None:
    """Fill `superseded` with all but the latest record of each key: by the order column, then object, then line."""
    connection.execute(f"CREATE TEMP TABLE superseded ({OBJECT} INTEGER, {LINE_NO} BIGINT)")
    if contract.primary_key:
        losers = _losers(connection, "parsed", contract.primary_key, contract.order_by)
        connection.execute(f"INSERT INTO superseded SELECT {OBJECT}, {LINE_NO} FROM ({losers})")


def reject_not_unique(connection: DuckDBPyConnection, contract: Contract) -> None:
    """Fill `not_unique` with the records whose unique value is held by one that ranks before them; name the rest."""
    connection.execute(
        f'CREATE TEMP TABLE not_unique ({OBJECT} INTEGER, {LINE_NO} BIGINT, "column" VARCHAR, value VARCHAR)'
    )
    kept = f"(SELECT * FROM parsed ANTI JOIN superseded USING ({OBJECT}, {LINE_NO}))"
    for name in unique_columns(contract):
        column = quote_identifier(name)
        losers = _losers(connection, kept, (name,), contract.order_by)
        connection.execute(
            f"INSERT INTO not_unique SELECT {OBJECT}, {LINE_NO}, {quote_literal(name)}, CAST({column} AS VARCHAR) "
            f"FROM ({losers})"
        )
    # Even an empty table costs a join over all records.
    filled = [table for table in ("superseded", "not_unique") if _has_rows(connection, table)]
    joins = " ".join(f"ANTI JOIN {table} USING ({OBJECT}, {LINE_NO})" for table in filled)
    connection.execute(f"CREATE TEMP VIEW {PUBLISHABLE} AS SELECT * FROM parsed {joins} WHERE {GOOD}")


def _has_rows(connection: DuckDBPyConnection, table: str) -> bool:
    return connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None


def unique_columns(contract: Contract) -> tuple[str, ...]:
    """Return the columns declared unique that are not the whole key: for the key the latest record wins instead."""
    return tuple(c.name for c in contract.columns if c.unique and contract.primary_key != (c.name,))


def _losers(connection: DuckDBPyConnection, relation: str, names: tuple[str, ...], order_by: str | None) -> str:
    """Return the query for all but the first holder of each value; it reads the temporary table `met`."""
    columns = ", ".join(quote_identifier(name) for name in names)
    latest = f"{quote_identifier(order_by)} DESC NULLS LAST, " if order_by else ""
    held = " AND ".join([GOOD, *(f"{quote_identifier(name)} IS NOT NULL" for name in names)])
    _fill_met(connection, f"hash({columns})", f"{relation} WHERE {held}")
    return f"""
        SELECT {OBJECT}, {LINE_NO}, {columns} FROM (
            SELECT {OBJECT}, {LINE_NO}, {columns},
                row_number() OVER (PARTITION BY {columns} ORDER BY {latest}{OBJECT} DESC, {LINE_NO} DESC) AS place
            FROM {relation}
            WHERE {held} AND hash({columns}) IN (SELECT hashed FROM met)
        ) WHERE place > 1"""


def _fill_met(connection: DuckDBPyConnection, hashed: str, relation: str) -> None:
    """Note the hashes that several records have: a quarter of the CPU of grouping all keys."""
    connection.execute("CREATE OR REPLACE TEMP TABLE met (hashed UBIGINT)")
    (records,) = connection.execute("SELECT count(*) FROM parsed").fetchall()[0]
    for found in meeting_hashes(connection, hashed, relation, records):
        if len(found):
            connection.register("found", pa.table({"hashed": found}))
            connection.execute("INSERT INTO met FROM found")
            connection.unregister("found")
