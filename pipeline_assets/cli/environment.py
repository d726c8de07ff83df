"""The ports of one invocation, built from the process environment and opened when first used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from resources.clock import Clock, SystemClock
from resources.settings import Settings, fetch_settings
from resources.variables import Variables
from sluice.errors import DatasetUnknown, QueueNotSet, SettingInvalid

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from resources.athena import Athena
    from resources.event_queue import EventQueue
    from resources.failures import TypedFailures
    from resources.great_expectations_engine import GreatExpectations
    from resources.http_source import HttpSource
    from resources.iceberg_tables import IcebergTables
    from resources.ledger import Ledger
    from resources.notifier import Notifier
    from resources.object_store import SweptStore
    from resources.spark_engine import Engine
    from resources.table_upkeep import TableUpkeep
    from resources.upkeep import Upkeep
    from resources.warehouse import Warehouse
    from resources.workers import Workers
    from sluice.contract import Contract
    from sluice.cost.price_book import PriceBook
    from sluice.events.message import Watched

CHECKOUT = Path(__file__).resolve().parents[2]
"""Where this code and its workspace.yaml live; the command may be called from anywhere."""

PRICE_BOOK = CHECKOUT / "deploy" / "prices" / "aws.yaml"


@dataclass(frozen=True)
class Environment:
    """Everything a command works with; `here` is the folder it was called in."""

    settings: Settings
    clock: Clock
    here: Path
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)  # holds secrets: where notices are sent
    resolved: Mapping[str, str] | None = field(default=None, repr=False)  # the same, with references resolved

    @property
    def variables(self) -> Mapping[str, str]:
        """What is read here and now; child processes inherit `environ`, in which references stay references."""
        return self.environ if self.resolved is None else self.resolved

    @cached_property
    def contracts(self) -> Mapping[str, Contract]:
        from resources.contract_folders import fetch_contracts
        from sluice.cost.price_book import unknown_regions

        contracts = fetch_contracts(self.settings.dataset_folders)
        for error in unknown_regions(contracts, self.prices)[:1]:
            raise error
        return contracts

    def contract(self, dataset: str) -> Contract:
        """Return the contract of a dataset; raises DatasetUnknown."""
        if dataset not in self.contracts:
            raise DatasetUnknown(dataset=dataset, known=self.contracts)
        return self.contracts[dataset]

    @property
    def new_datasets_folder(self) -> Path:
        """Where `sluice new` writes: the first further folder, else the project's own."""
        project, *further = self.settings.dataset_folders
        return further[0] if further else project

    @cached_property
    def store(self) -> SweptStore:
        from resources.opened_store import open_store

        return open_store(self.settings)

    @cached_property
    def queue(self) -> EventQueue:
        """The queue that events come by; raises QueueNotSet."""
        from resources.sqs_queue import SqsQueue

        if self.settings.queue is None or self.settings.s3 is None:
            raise QueueNotSet
        return SqsQueue(self.settings.queue, self.settings.s3)

    @property
    def watched(self) -> Watched | None:
        """What events are told of, if they are."""
        from sluice.events.message import Watched, Zone

        place, queue = self.settings.s3, self.settings.queue
        if place is None or queue is None:
            return None
        return Watched(Zone(place.bucket, place.prefix), queue.listing_every)

    @cached_property
    def ledger(self) -> Ledger:
        from resources.opened_ledger import open_ledger

        ledger = open_ledger(self.settings)
        if not self.settings.telemetry.is_on:
            return ledger
        from resources.measured_ledger import measured

        return measured(ledger)

    @cached_property
    def tables(self) -> IcebergTables:
        if self.settings.glue:
            from resources.glue_tables import GlueTables

            return GlueTables(self.settings.glue, self.store)
        from resources.iceberg_tables import IcebergTables

        return IcebergTables(self.local_catalog, self.store)

    @cached_property
    def local_catalog(self) -> Catalog:
        from resources.local_catalog import open_local_catalog

        settings = self.settings
        data_access = settings.s3.iceberg_properties() if settings.s3 else {}
        return open_local_catalog(settings.catalog_database, settings.tables, data_access)

    @cached_property
    def upkeep(self) -> Upkeep:
        from resources.upkeep import Upkeep
        from resources.workspaces import Workspaces

        return Upkeep(self._table_upkeep(), Workspaces(self.settings.scratch))

    def _table_upkeep(self) -> TableUpkeep:
        if self.settings.glue:
            from resources.glue_tables import open_glue_upkeep

            return open_glue_upkeep(self.settings.glue, self.store)
        from resources.table_upkeep import IcebergUpkeep

        return IcebergUpkeep(self.local_catalog, self.store)

    @cached_property
    def athena(self) -> Athena:
        """Raises SettingInvalid when the tables are not in Glue."""
        from resources.athena import Athena

        if self.settings.glue is None:
            raise SettingInvalid(
                name="SLUICE_GLUE_DATABASE",
                value="",
                problem="is not set, and Athena reads tables in Glue",
                cure="Set it, with SLUICE_ENV=aws (docs/athena.md), or query with --engine duckdb.",
            )
        return Athena(self.settings.glue, self.tables.names)

    @cached_property
    def expectation_engine(self) -> GreatExpectations:
        from resources.great_expectations_engine import GreatExpectations

        return GreatExpectations()

    @cached_property
    def engine(self) -> Engine:
        from resources.spark_engine import open_engine

        return open_engine(self.settings, CHECKOUT)

    @cached_property
    def notifier(self) -> Notifier:
        from resources.notifier import AppriseNotifier

        return AppriseNotifier(self.variables)

    @cached_property
    def sources(self) -> HttpSource:
        from resources.http_source import HttpSource

        return HttpSource(self.variables)

    @cached_property
    def workers(self) -> Workers:
        from resources.workers import SystemWorkers

        return SystemWorkers()

    @cached_property
    def failures(self) -> TypedFailures:
        from resources.failures import TypedFailures

        return TypedFailures()

    @cached_property
    def prices(self) -> PriceBook:
        from resources.price_book import fetch_price_book

        return fetch_price_book(self.settings.price_book or PRICE_BOOK)

    @cached_property
    def warehouse(self) -> Warehouse:
        from resources.remote_files import RemoteFiles
        from resources.warehouse import Warehouse, quarantine_files

        remote = RemoteFiles(self.settings.s3) if self.settings.s3 else None
        return Warehouse(self.tables, quarantine_files(self.ledger, self.store.uri), self.settings.scratch, remote)


def open_environment() -> Environment:
    """Read the process environment; the only place of the command that does.

    Raises SettingInvalid, or UnresolvedReference where a setting is kept in AWS and cannot be had.
    """
    here, variables = Path.cwd(), process_variables()
    try:
        settings = fetch_settings(variables, here)
    except SettingInvalid as error:
        raise variables.without_value(error) from None  # its cause may show the value, too
    return Environment(settings, SystemClock(), here, os.environ, variables)


def process_variables() -> Variables:
    return Variables(os.environ)
