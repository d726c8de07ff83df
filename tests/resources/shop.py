"""A shop's orders on a real file system: files staged as the transform stages them, and a real Iceberg table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from resources.iceberg_tables import IcebergTables
from resources.local_catalog import open_local_catalog
from resources.object_store import LocalObjectStore
from sluice.contract import CODE_VERSION, Column, Contract, FileFormat, Source, fingerprint_of
from sluice.datatypes import Decimal, Field, Integer, ListOf, Struct, Text, Timestamp
from sluice.outcome import ObjectBalance, Outcome, StagedFile
from sluice.sql_types import duckdb_type, quote_identifier

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

DAY = "2026-11-20"
NEXT_DAY = "2026-11-21"

COLUMNS = (
    Column("order_id", Integer(32), required=True, description="The shop's number."),
    Column("amount", Decimal(10, 2)),
    Column("ordered_at", Timestamp()),
    Column("ship_to", Struct((Field("city", Text()),))),
    Column("items", ListOf(Struct((Field("sku", Text()),)))),
)


def contract_with(*columns: Column, dataset: str = "orders", version: str = "1.0.0") -> Contract:
    source = Source(f"{dataset}/date={{date}}/*.jsonl", FileFormat.JSONL)
    contract = Contract(dataset, version, columns, source=source, description="Orders.", owner="shop@example.com")
    return replace(contract, fingerprint=fingerprint_of(contract))


ORDERS = contract_with(*COLUMNS)


def open_tables(home: Path, catalog: Catalog | None = None) -> IcebergTables:
    return IcebergTables(catalog or open_catalog(home), LocalObjectStore(home), longest_pause_seconds=0.5)


def open_catalog(home: Path) -> Catalog:
    return open_local_catalog(home / "catalog.db", home / "tables")


def load(home: Path, dataset: str = "orders") -> Table:
    return open_catalog(home).load_table(("sluice", dataset))


def stage(  # one partition, `order_ids` published and `rejected` records quarantined
    home: Path,
    order_ids: list[int],
    *,
    day: str = DAY,
    fingerprint: str = "a" * 16,
    contract: Contract = ORDERS,
    rejected: int = 0,
) -> Outcome:
    version = f"{fingerprint}-{contract.fingerprint}-{CODE_VERSION}"
    key = f"processed/{contract.dataset}/date={day}/{version}/part-0.parquet"
    path = home / key
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, order_ids, day, contract)
    balance = ObjectBalance(
        key="orders/1.jsonl",
        etag="e",
        records_in=len(order_ids) + rejected,
        published=len(order_ids),
        quarantined=rejected,
        duplicates=0,
    )
    return Outcome(
        dataset=contract.dataset,
        partition=day,
        fingerprint=fingerprint,
        contract_version=contract.version,
        contract_fingerprint=contract.fingerprint,
        code_version=CODE_VERSION,
        run_id="run-1",
        objects=(balance,),
        files=(StagedFile(key=key, records=len(order_ids), size_bytes=path.stat().st_size),),
        quarantine_files=(),
    )


def _write(path: Path, order_ids: list[int], day: str, contract: Contract) -> None:
    columns = ", ".join(_column_sql(column) for column in contract.columns)
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE orders (order_id BIGINT)")
        connection.execute("INSERT INTO orders SELECT unnest($1::BIGINT[])", [order_ids])
        connection.execute(
            f"COPY (SELECT {columns}, DATE '{day}' AS partition_date FROM orders) TO '{path}' (FORMAT parquet)"
        )


def _column_sql(column: Column) -> str:
    value = "order_id" if column.name == "order_id" else "NULL"
    return f"{value}::{duckdb_type(column.type)} AS {quote_identifier(column.name)}"


def order_ids(home: Path, day: str | None = None) -> list[int]:
    """Read a table the way a foreign engine would: through Iceberg alone."""
    row_filter = f"partition_date = '{day}'" if day else "true"
    found = load(home).scan(row_filter=row_filter).to_arrow()["order_id"].to_pylist()
    return sorted(order_id for order_id in found if order_id is not None)


def publish(home: str, outcomes: list[tuple[Outcome, int]]) -> list[str]:
    """Publish one after the other; a function of plain values, so that another process can run it."""
    tables = open_tables(Path(home))
    return [str(tables.publish(ORDERS, outcome, sequence).effect) for outcome, sequence in outcomes]
