"""What a commit costs when there were many: `python -m bench.commits [--commits N]`.

Each commit publishes one partition of one table. Maintenance runs after every 50 commits, as it would daily on a table
that is published to every half hour; each 50 commits count as one day. References, in the same run: a new table's
second commit, in turn with the old table's; and the whole without maintenance, where only publishing itself forgets
(all but 300 snapshots).
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

from bench.report import Line, tell
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
PAIRS = 15
"""Commits at each mark, each beside one of a new table: the machine may be busy."""

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
        outcome = self._stage((date(1700, 1, 1) + timedelta(days=number)).isoformat())
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


@dataclass(frozen=True, slots=True)
class Mark:
    """Commits of a new table and of one that had `commits` before, made in turn."""

    commits: int
    young: tuple[Commit, ...]
    old: tuple[Commit, ...]

    def ratio(self) -> float:
        return statistics.median(old.wall / young.wall for young, old in zip(self.young, self.old, strict=True))

    def cpu_ratio(self) -> float:
        return statistics.median(old.cpu / young.cpu for young, old in zip(self.young, self.old, strict=True))


def measure(commits: int, *, maintained: bool) -> tuple[list[Mark], list[float], int]:
    """Return the marks, the seconds of each maintenance, and how many metadata files there are at the end."""
    marks, upkeep = [], []
    with tempfile.TemporaryDirectory(prefix="bench-commits-") as folder:
        bench = Bench(Path(folder))
        for number in range(commits):
            bench.commit(number)
            if maintained and (number + 1) % COMMITS_A_DAY == 0:
                upkeep.append(bench.maintain())
            if number + 1 in MARKS:
                marks.append(_compare(bench, number + 1))
        return marks, upkeep, bench.files()


def _compare(bench: Bench, commits: int) -> Mark:
    """The young table is made anew for each pair, so that it always stands at its second commit."""
    pairs = []
    for number in range(PAIRS):
        with tempfile.TemporaryDirectory(prefix="bench-commits-") as folder:
            young = Bench(Path(folder))
            young.commit(0)
            pairs.append((young.commit(1), bench.commit(100_000 + commits + number)))
    return Mark(commits, tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=MARKS[-1])
    commits = parser.parse_args().commits
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONS))
    for title, maintained in (("with maintenance", True), ("without", False)):
        marks, upkeep, files = measure(commits, maintained=maintained)
        print(f"\n{title}: {files:,} metadata files at the end; load {os.getloadavg()[0]:.1f}")
        print("| commits | publish wall s | CPU s | metadata kB | wall, of a new table's | CPU, of a new table's |")
        print("|---|---|---|---|---|---|")
        for mark in marks:
            print(_row(mark))
        if upkeep:
            print(f"a maintenance took {statistics.median(upkeep):.2f} s (median), the last one {upkeep[-1]:.2f} s")
            tell(_line(marks[-1]))


def _line(mark: Mark) -> Line:
    old, young = (statistics.median(item.wall for item in items) for items in (mark.old, mark.young))
    what = f"publish after {mark.commits:,} commits, with maintenance"
    told = f"{mark.ratio():.2f} ({mark.cpu_ratio():.2f} by CPU)"
    reference = f"a new table: {young * 1000:.1f} ms"
    return Line(6, what, f"{old * 1000:.1f} ms", reference, told, f"<= {TARGET} x", mark.ratio() <= TARGET)


def _row(mark: Mark) -> str:
    wall = statistics.median(item.wall for item in mark.old)
    cpu = statistics.median(item.cpu for item in mark.old)
    size = mark.old[-1].metadata_bytes / 1000
    return f"| {mark.commits:,} | {wall:.4f} | {cpu:.4f} | {size:,.0f} | {mark.ratio():.2f} | {mark.cpu_ratio():.2f} |"


if __name__ == "__main__":
    main()
