"""The same definitions as Sluice's own, over ports that fail when a fault waits for them."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.cli.environment import Environment
from pipeline_assets.definitions import build_definitions, lazy_ports
from resources.clock import SystemClock

if TYPE_CHECKING:
    from resources.iceberg_tables import IcebergTables
    from resources.object_store import SweptStore
    from resources.sql_ledger import SqlLedger

DATASETS = Path(__file__).with_name("datasets")
FAULTS = "faults"
"""The folder of faults, below SLUICE_HOME."""


class FaultyEnvironment(Environment):
    @cached_property
    def store(self) -> SweptStore:
        from resources.object_store import LocalObjectStore
        from tests.chaos.faults import FaultBox
        from tests.chaos.faulty_ports import FaultyStore

        return FaultyStore(LocalObjectStore(self.settings.home), FaultBox(self.settings.home / FAULTS))

    @cached_property
    def tables(self) -> IcebergTables:
        from resources.local_catalog import open_local_catalog
        from tests.chaos.faults import FaultBox
        from tests.chaos.faulty_ports import FaultyTables

        catalog = open_local_catalog(self.settings.catalog_database, self.settings.tables)
        return FaultyTables(catalog, self.store, FaultBox(self.settings.home / FAULTS))

    @cached_property
    def ledger(self) -> SqlLedger:
        from tests.chaos.faults import FaultBox
        from tests.chaos.faulty_ports import FaultyLedger

        return FaultyLedger(self.settings.ledger_url, FaultBox(self.settings.home / FAULTS))


def open_faulty(home: Path) -> Environment:
    from tests.chaos.faults import FaultBox
    from tests.chaos.faulty_ports import FaultySettings

    settings = FaultySettings(home, (DATASETS,), faults=FaultBox(home / FAULTS))
    return FaultyEnvironment(settings, SystemClock(), home)


@dg.definitions
def defs() -> dg.Definitions:
    environment = open_faulty(Path(os.environ["SLUICE_HOME"]))
    return build_definitions(environment.contracts, lazy_ports(environment))
