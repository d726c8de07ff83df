"""A table of orders under maintenance, with real files, catalog and ledger; also for other processes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline_assets.maintaining import Maintenance
from resources.clock import ManualClock
from resources.iceberg_tables import IcebergTables
from resources.object_store import LocalObjectStore
from resources.sql_ledger import SqlLedger
from resources.table_upkeep import IcebergUpkeep
from resources.upkeep import Upkeep
from resources.workspaces import Workspaces
from sluice.history import Published
from sluice.maintenance.policy import MaintenancePolicy
from sluice.outcome import OUTCOME_NAME, Outcome, StagedFile
from tests.resources.shop import DAY, ORDERS, open_catalog, order_ids, stage

if TYPE_CHECKING:
    from pathlib import Path

    from sluice.contract import Contract
    from sluice.maintenance.report import Report

POLICY = MaintenancePolicy(keep_snapshots=1, keep_days=0)
DAY_LONG = timedelta(hours=25)


class Desk:
    def __init__(self, home: Path, policy: MaintenancePolicy = POLICY) -> None:
        self.home = home
        self.contract: Contract = replace(ORDERS, maintenance=policy)
        self.clock = ManualClock(datetime.now(UTC))
        self.store = LocalObjectStore(home)
        self.ledger = SqlLedger(f"sqlite:///{home / 'ledger.db'}")
        self.catalog = open_catalog(home)
        self.tables = IcebergTables(self.catalog, self.store)
        self.rebuilt: list[str] = []

    @cached_property
    def upkeep(self) -> Upkeep:
        return Upkeep(IcebergUpkeep(self.catalog, self.store), Workspaces(self.home / "scratch"))

    @property
    def maintenance(self) -> Maintenance:
        return Maintenance(self.store, self.ledger, self.upkeep, self.clock, self.home / "scratch")

    def maintain(self, later: timedelta = timedelta()) -> Report:
        self.clock.instant += later
        return self.maintenance.perform(self.contract, self.rebuilt.extend)

    def stage(self, *parts: list[int], fingerprint: str = "a" * 16, day: str = DAY, rejected: int = 0) -> Outcome:
        """Stage one version of one file per part, as runs do: its outcome last."""
        files = [self._part(number, ids, fingerprint, day) for number, ids in enumerate(parts)]
        ids = [item for part in parts for item in part]
        whole = stage(self.home, ids, fingerprint=fingerprint, day=day, rejected=rejected)
        (self.home / whole.files[0].key).unlink()
        key = f"quarantine/orders/date={day}/{whole.version}/part-0.parquet"
        refused = self.home / key
        refused.parent.mkdir(parents=True, exist_ok=True)
        refused.write_bytes(b"rejected")
        quarantine = StagedFile(key=key, records=rejected, size_bytes=8)
        outcome = whole.model_copy(update={"files": tuple(files), "quarantine_files": (quarantine,)})
        self.claim(outcome).write_text(outcome.model_dump_json())
        return outcome

    def publish(self, outcome: Outcome, sequence: int) -> Outcome:
        held = self.tables.publish(self.contract, outcome, sequence).held
        self.ledger.record(Published(outcome, held.snapshot_id, self.clock.now()))
        return outcome

    def claim(self, outcome: Outcome) -> Path:
        folder = self.home / f"processed/orders/date={outcome.partition}/{outcome.version}"
        return folder / OUTCOME_NAME

    def staged(self, outcome: Outcome) -> Outcome | None:
        """Return what the claim says now."""
        path = self.claim(outcome)
        return Outcome.model_validate_json(path.read_bytes()) if path.exists() else None

    def recorded(self, day: str = DAY) -> Outcome:
        published = self.ledger.published("orders", day)
        assert published is not None
        return published.outcome

    def shown(self, day: str = DAY) -> set[str]:
        """Return the keys of the files that the table shows."""
        return {path.removeprefix(f"{self.home}/") for path in self.tables.files("orders", day)}

    def ids(self) -> list[int]:
        return order_ids(self.home)

    def there(self, folder: str) -> list[str]:
        return sorted(str(path.relative_to(self.home)) for path in (self.home / folder).rglob("*") if path.is_file())

    def _part(self, number: int, ids: list[int], fingerprint: str, day: str) -> StagedFile:
        (file,) = stage(self.home, ids, fingerprint=fingerprint, day=day).files
        key = file.key.replace("part-0", f"part-{number + 1}")
        (self.home / file.key).rename(self.home / key)
        return file.model_copy(update={"key": key})
