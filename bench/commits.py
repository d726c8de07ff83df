"""What a commit costs when there were many: `python -m bench.commits [--commits N]`.

Each commit publishes one partition of one table. Maintenance runs after every 50 commits, as it would daily on a table
that is published to every half hour; each 50 commits count as one day. The reference is the same without maintenance.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from pipeline_assets.maintaining import Maintenance
from resources.clock import ManualClock
from resources.iceberg_tables import IcebergTables
from resources.local_catalog import open_local_catalog
from resources.memory_ledger import MemoryLedger
from resources.object_store import LocalObjectStore
from resources.table_upkeep import IcebergUpkeep
from resources.upkeep import Upkeep
from resources.workspaces import Workspaces
from sluice.contract import CODE_VERSION, Column, Contract, FileFormat, Source, fingerprint_of
from sluice.datatypes import Integer
from sluice.history import Published
from sluice.outcome import ObjectBalance, Outcome, StagedFile

MARKS = (1, 100, 1000)
COMMITS_A_DAY = 50
AROUND = 10
"""Commits up to a mark whose median counts; the first one creates the table, so the mark 1 counts those behind it."""

VERSIONS = ("pyiceberg", "pyarrow", "duckdb")
TARGET = 2.0


@dataclass(frozen=True, slots=True)
class Commit:
    wall: float
    cpu: float
    metadata_bytes: int


class Bench:
    """One table in a folder of its own."""

    def __init__(self, home: Path) -> None:
        source = Source("orders/date={date}/*.jsonl", FileFormat.JSONL)
        contract = Contract("orders", "1.0.0", (Column("order_id", Integer()),), source=source)
        self.contract = replace(contract, fingerprint=fingerprint_of(contract))
        self.home, self.clock, self.ledger = home, ManualClock(datetime.now(UTC)), MemoryLedger()
        store = LocalObjectStore(home)
        catalog = open_local_catalog(home / "catalog.db", home / "tables")
        upkeep = Upkeep(IcebergUpkeep(catalog, store), Workspaces(home / "scratch"))
        self.tables = IcebergTables(catalog, store)
        self.maintenance = Maintenance(store, self.ledger, upkeep, self.clock, home / "scratch")

    def commit(self, number: int) -> Commit:
        outcome = self._stage((date(2020, 1, 1) + timedelta(days=number)).isoformat())
        wall, cpu = time.perf_counter(), time.process_time()
        publication = self.tables.publish(self.contract, outcome, number + 1)
        spent = time.perf_counter() - wall, time.process_time() - cpu
        self.ledger.record(Published(outcome, publication.held.snapshot_id, self.clock.now()))
        newest = max((self.home / "tables").rglob("*.metadata.json"), key=lambda path: path.stat().st_mtime_ns)
        return Commit(*spent, newest.stat().st_size)

    def maintain(self) -> float:
        self.clock.instant += timedelta(days=1)
        started = time.perf_counter()
        self.maintenance.perform(self.contract, lambda _: None)
        return time.perf_counter() - started

    def files(self) -> int:
        return sum(path.is_file() for path in (self.home / "tables").rglob("*"))

    def _stage(self, day: str) -> Outcome:
        version = f"{'a' * 16}-{self.contract.fingerprint}-{CODE_VERSION}"
        key = f"processed/orders/date={day}/{version}/part-00000.parquet"
        path = self.home / key
        path.parent.mkdir(parents=True)
        duckdb.sql(f"COPY (SELECT 1::BIGINT AS order_id, DATE '{day}' AS partition_date) TO '{path}' (FORMAT parquet)")
        balance = ObjectBalance(key="k", etag="e", records_in=1, published=1, quarantined=0, duplicates=0)
        outcome = Outcome(
            dataset="orders",
            partition=day,
            fingerprint="a" * 16,
            contract_version="1.0.0",
            contract_fingerprint=self.contract.fingerprint,
            code_version=CODE_VERSION,
            run_id="bench",
            objects=(balance,),
            files=(StagedFile(key=key, records=1, size_bytes=path.stat().st_size),),
            quarantine_files=(),
        )
        (path.parent / "_outcome.json").write_text(outcome.model_dump_json())
        return outcome


def measure(commits: int, *, maintained: bool) -> tuple[list[Commit], list[float], int]:
    """Return the commits, the seconds of each maintenance, and how many metadata files there are at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-commits-") as folder:
        bench, found, upkeep = Bench(Path(folder)), [], []
        for number in range(commits + 1):
            found.append(bench.commit(number))
            if maintained and number and number % COMMITS_A_DAY == 0:
                upkeep.append(bench.maintain())
        return found, upkeep, bench.files()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=MARKS[-1])
    commits = parser.parse_args().commits
    marks = [mark for mark in MARKS if mark <= commits]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONS))
    for title, maintained in (("with maintenance", True), ("without", False)):
        found, upkeep, files = measure(commits, maintained=maintained)
        base = _at(found, marks[0])
        print(f"\n{title}: {files:,} metadata files at the end; load {os.getloadavg()[0]:.1f}")
        print("| commits | publish wall s | CPU s | metadata kB | wall, of the first |")
        print("|---|---|---|---|---|")
        for mark in marks:
            wall, cpu, size = _at(found, mark)
            print(f"| {mark:,} | {wall:.4f} | {cpu:.4f} | {size / 1000:,.0f} | {wall / base[0]:.2f} |")
        if upkeep:
            print(f"a maintenance took {statistics.median(upkeep):.2f} s (median), the last one {upkeep[-1]:.2f} s")
            print(f"target: at most {TARGET} times the first; found {_at(found, marks[-1])[0] / base[0]:.2f}")


def _at(found: list[Commit], mark: int) -> tuple[float, float, float]:
    last = max(mark, AROUND) + 1
    near = found[max(last - AROUND, 1) : last]
    return (
        statistics.median(item.wall for item in near),
        statistics.median(item.cpu for item in near),
        statistics.median(item.metadata_bytes for item in near),
    )


if __name__ == "__main__":
    main()
