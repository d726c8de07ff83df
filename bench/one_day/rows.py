"""A hash over published rows that does not depend on their order, their files or how a tool spells their types."""

from __future__ import annotations

import duckdb

_COLUMNS = (
    "order_id::BIGINT",
    "user_id::VARCHAR",
    "epoch_us(created_at::TIMESTAMPTZ)",
    "status::VARCHAR",
    "country::VARCHAR",
    "amount::DECIMAL(12,2)",
    "currency::VARCHAR",
    "quantity::INTEGER",
    "sku::VARCHAR",
    "channel::VARCHAR",
    "discount::DOUBLE",
    "gift::BOOLEAN",
    "email::VARCHAR",
    "note::VARCHAR",
)


def rows_digest(files: str, *, latest_by: str = "") -> str:
    """Return count and hash of the rows in a glob of Parquet files; `latest_by` chooses winners that a tool did not."""
    chosen = f"QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY {latest_by}) = 1" if latest_by else ""
    query = f"SELECT count(*), sum(hash({', '.join(_COLUMNS)})) FROM (SELECT * FROM read_parquet($files) {chosen})"
    found = duckdb.execute(query, {"files": files}).fetchone()
    assert found
    return f"{found[0]} rows {int(found[1]):x}"


def rejects_digest(files: str, text: str) -> str:
    """Return count and hash of the rejected lines; `text` is the expression that gives a line."""
    reader = "read_parquet" if files.endswith(".parquet") else "read_json"
    query = f"SELECT count(*), sum(hash(rtrim({text}, chr(10)))) FROM {reader}($files)"
    found = duckdb.execute(query, {"files": files}).fetchone()
    assert found
    return f"{found[0]} rejected {int(found[1]):x}"
