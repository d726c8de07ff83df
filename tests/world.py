"""A small world to run Dagster in: two datasets and one derived from them, with the real local ports."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg
import duckdb

from pipeline_assets.cli.environment import CHECKOUT, PRICE_BOOK
from pipeline_assets.definitions import build_definitions
from resources.clock import ManualClock
from resources.failures import TypedFailures
from resources.great_expectations_engine import GreatExpectations
from resources.http_source import HttpSource
from resources.iceberg_tables import IcebergTables
from resources.local_catalog import open_local_catalog
from resources.notifier import MemoryNotifier
from resources.object_store import LocalObjectStore
from resources.price_book import fetch_price_book
from resources.settings import Settings
from resources.spark_engine import open_engine
from resources.sql_ledger import SqlLedger
from resources.table_upkeep import IcebergUpkeep
from resources.upkeep import Upkeep
from resources.workers import SystemWorkers
from resources.workspaces import Workspaces
from sluice.contract import Channel, Column, Contract, CsvDialect, FileFormat, Rules, Source, fingerprint_of
from sluice.datatypes import Decimal, Integer, Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dagster._core.execution.execute_in_process_result import ExecuteInProcessResult

START = date(2026, 11, 1)


def contract(dataset: str, *columns: Column, **settings: object) -> Contract:
    made = Contract(dataset, "1.0.0", columns, start=START, domain="shop", path=f"datasets/{dataset}/contract.yaml")
    made = replace(made, **settings)  # type: ignore[arg-type]  # keywords of Contract
    return replace(made, fingerprint=fingerprint_of(made))


ORDERS = contract(
    "orders",
    Column("order_id", Integer(), required=True, description="The shop's order number."),
    Column("customer_id", Integer(), required=True),
    Column("amount", Decimal(12, 2), required=True, classification="internal"),
    Column("status", Text(), rules=Rules(allowed=("paid", "cancelled"))),
    source=Source("orders/date={date}/*.jsonl", FileFormat.JSONL),
    primary_key=("order_id",),
    description="Every order the shop accepted.",
    owner="shop-data@example.com",
    support=(Channel("#shop-data"),),
    tags=("demo",),
)
CUSTOMERS = contract(
    "customers",
    Column("customer_id", Integer(), required=True),
    Column("country", Text(), required=True),
    source=Source("customers/{date:YYYY/MM/dd}/*.csv", FileFormat.CSV, CsvDialect()),
    primary_key=("customer_id",),
    owner="crm team",
)
REVENUE = contract(
    "revenue",
    Column("country", Text(), required=True),
    Column("revenue", Decimal(38, 2), required=True),
    transform_sql=(
        "select country, sum(amount) as revenue from orders join customers using (customer_id) group by country"
    ),
    domain="finance & control",
)
CONTRACTS: Mapping[str, Contract] = {item.dataset: item for item in (ORDERS, CUSTOMERS, REVENUE)}


class World:
    """Ports below one folder, and the definitions over them. Landed files are an hour old unless said otherwise."""

    def __init__(self, home: Path, instance: dg.DagsterInstance, contracts: Mapping[str, Contract] = CONTRACTS) -> None:
        self.home = home
        self.instance = instance
        self.contracts = contracts
        self.clock = ManualClock(datetime.now(UTC))  # Dagster knows only partitions up to the real today
        self.settings = Settings(home, ())
        self.store = LocalObjectStore(home)
        self.ledger = SqlLedger(self.settings.ledger_url)
        self.prices = fetch_price_book(PRICE_BOOK)
        catalog = open_local_catalog(self.settings.catalog_database, self.settings.tables)
        self.upkeep = Upkeep(IcebergUpkeep(catalog, self.store), Workspaces(self.settings.scratch))
        self.tables = IcebergTables(catalog, self.store)

    @cached_property
    def definitions(self) -> dg.Definitions:
        return build_definitions(self.contracts, self.ports)

    @cached_property
    def ports(self) -> dict[str, object]:
        return {
            "store": self.store,
            "ledger": self.ledger,
            "tables": self.tables,
            "clock": self.clock,
            "prices": self.prices,
            "settings": self.settings,
            "failures": TypedFailures(),
            "notifier": MemoryNotifier(),
            "workers": SystemWorkers(),
            "sources": HttpSource({}),
            "expectation_engine": GreatExpectations(),
            "engine": open_engine(self.settings, CHECKOUT),
            "upkeep": self.upkeep,
        }

    def land(self, key: str, text: str, *, age: timedelta = timedelta(hours=1)) -> None:
        path = self.settings.raw / key
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}")
        partial.write_text(text)
        modified = (self.clock.now() - age).timestamp()
        os.utime(partial, (modified, modified))
        partial.replace(path)  # as writers should: a file that is overwritten in place is seen some seconds later

    def land_orders(self, day: str, *lines: str, name: str = "a") -> None:
        self.land(f"orders/date={day}/{name}.jsonl", "".join(f"{line}\n" for line in lines))

    def land_customers(self, day: str, *lines: str) -> None:
        text = "".join(f"{line}\n" for line in ("customer_id,country", *lines))
        self.land(f"customers/{day.replace('-', '/')}/a.csv", text)

    def build(self, dataset: str, day: str, *selection: str) -> ExecuteInProcessResult:
        """Run the dataset's job for one partition, or only the named assets of it (`tables/orders`)."""
        job = self.definitions.get_repository_def().get_job(f"build_{dataset}")
        return job.execute_in_process(
            instance=self.instance,
            partition_key=day,
            asset_selection=[dg.AssetKey(name.split("/")) for name in selection] or None,
            raise_on_error=False,
        )

    def tick(self, cursor: str | None = None) -> dg.SensorResult:
        """Evaluate the arrivals sensor as the daemon does."""
        return self.evaluate(self.definitions.get_repository_def().get_sensor_def("arrivals"), cursor)

    def evaluate(self, sensor: dg.SensorDefinition, cursor: str | None) -> dg.SensorResult:
        resources = {name: self.ports[name] for name in sensor.required_resource_keys}
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=cursor,
            repository_def=self.definitions.get_repository_def(),
            resources=resources,
        ) as context:
            tick = sensor.evaluate_tick(context)
        return dg.SensorResult(
            run_requests=tick.run_requests, skip_reason=tick.skip_message or None, cursor=tick.cursor
        )

    def rows(self, dataset: str, day: str | None = None) -> list[tuple[object, ...]]:
        files = self.tables.files(dataset, day)
        columns = ", ".join(column.name for column in self.contracts[dataset].columns)
        if not files:
            return []
        with duckdb.connect() as connection:
            return connection.execute(f"SELECT {columns} FROM read_parquet({list(files)}) ORDER BY ALL").fetchall()
