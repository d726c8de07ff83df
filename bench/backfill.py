"""A year of small partitions: `python -m bench.backfill [--partitions N] [--objects N] [--records N] [--runs N]`.

Floor: one DuckDB statement, COPY (SELECT * FROM read_json(...)) TO Parquet partitioned by date, which checks and
publishes nothing. Sluice: chunk runs of 100 partitions with all gates, each partition committed by itself. Reference:
the same partitions in a run each, extrapolated from 20: `singly` in one process, and with a process for each, as
Dagster starts them, by adding what this process took to start. Times begin after the imports.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import logging
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.partition_records import write_partition
from bench.report import Line, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import dagster as dg

    from pipeline_assets.cli.environment import Environment

    Partition = str

DATA = Path(__file__).parent / ".data"
CONTRACT = Path(__file__).parent / "contract_orders.yaml"
DATASET = "bench_orders"
LAST = date(2026, 11, 1)
CHUNK = 100
SINGLES = 20
VERSIONS = ("dagster", "duckdb", "pyarrow", "pyiceberg")
WAYS = ("floor", "chunked", "singly")
MOST_TIMES, LEAST_FASTER = 4, 20
_SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_LANDED_AGO = 3600.0


def days(number: int) -> Sequence[Partition]:
    return [(LAST - timedelta(days=before)).isoformat() for before in range(number)]


def land(home: Path, partitions: Sequence[Partition], objects: int, records: int) -> None:
    """Every partition gets the same bytes: who builds one has seen nothing of another."""
    source = DATA / f"small-{objects}x{records}"
    write_partition(source, records=objects * records, files=objects)
    landed = time.time() - _LANDED_AGO
    for day in partitions:
        folder = home / "raw" / DATASET / f"date={day}"
        shutil.copytree(source, folder)
        for file in folder.iterdir():
            os.utime(file, (landed, landed))


def copy_bare(home: Path, partitions: Sequence[Partition]) -> Callable[[], float]:
    import duckdb

    def run() -> float:
        raw = f"read_json('{home}/raw/{DATASET}/*/*.gz', format = 'newline_delimited', ignore_errors = true)"
        target = f"'{home / 'copy'}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (date))"
        duckdb.execute(f"COPY (SELECT * FROM {raw}) TO {target}")
        assert len(list((home / "copy").iterdir())) == len(partitions)
        return 1.0

    return run


def build_chunked(home: Path, partitions: Sequence[Partition]) -> Callable[[], float]:
    from resources.dagster_home import open_dagster
    from sluice.backfill.chunk import CHUNK_TAG, chunk_text

    environment, job = _prepare(home, f"chunk_{DATASET}")

    def run() -> float:
        with open_dagster(environment.settings.dagster_home) as instance:
            for first in range(0, len(partitions), CHUNK):
                tags = {CHUNK_TAG: chunk_text(partitions[first : first + CHUNK])}
                job.execute_in_process(instance=instance, tags=tags, run_config=_SILENT)
        assert len(environment.ledger.all_published(DATASET)) == len(partitions)
        return 1.0

    return run


def build_singly(home: Path, partitions: Sequence[Partition]) -> Callable[[], float]:
    from resources.dagster_home import open_dagster

    environment, job = _prepare(home, f"build_{DATASET}")
    tried = partitions[:SINGLES]

    def run() -> float:
        with open_dagster(environment.settings.dagster_home) as instance:
            for day in tried:
                job.execute_in_process(instance=instance, partition_key=day, run_config=_SILENT)
        return len(partitions) / len(tried)

    return run


SUBJECTS = {"floor": copy_bare, "chunked": build_chunked, "singly": build_singly}


def _prepare(home: Path, job: str) -> tuple[Environment, dg.JobDefinition]:
    from pipeline_assets.cli import preload  # noqa: F401  what a run's process has imported
    from pipeline_assets.cli.environment import Environment
    from pipeline_assets.definitions import build_definitions, lazy_ports
    from resources.clock import SystemClock
    from resources.settings import Settings

    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    folder = home / "datasets" / DATASET
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(CONTRACT.read_text().replace("start: 2026-11-01", "start: 2020-01-01"))
    environment = Environment(Settings(home, (folder.parent,)), SystemClock(), home)
    definitions = build_definitions(environment.contracts, lazy_ports(environment))
    return environment, definitions.get_repository_def().get_job(job)


def run_subject(way: str, chosen: argparse.Namespace, started: float) -> dict[str, float]:
    """Run one way in this process; wall and CPU are those of all partitions."""
    home = DATA / f"backfill-{way}"
    shutil.rmtree(home, ignore_errors=True)
    partitions = days(chosen.partitions)
    try:
        land(home, partitions, chosen.objects, chosen.records)
        imports = time.perf_counter()
        run = SUBJECTS[way](home, partitions)
        start_up = time.perf_counter() - imports + started
        before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        factor = run()
        wall = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_SELF)
    finally:
        shutil.rmtree(home)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall * factor, "cpu": cpu * factor, "start-up": start_up, "peak_mb": after.ru_maxrss / 1024}


def measure(way: str, chosen: argparse.Namespace) -> dict[str, float]:
    """Run one way in a fresh process."""
    sizes = [
        str(item) for name in ("partitions", "objects", "records") for item in (f"--{name}", getattr(chosen, name))
    ]
    command = [sys.executable, "-m", "bench.backfill", *sizes, "--subject", way]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def compare(chosen: argparse.Namespace) -> None:
    """Run all ways in turn and print medians and ratios."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for number in range(1, chosen.runs + 1):
        for way in WAYS:
            measured = measure(way, chosen)
            found[way].append(measured)
            print(f"run {number} {way:8} {measured['wall']:8.2f} s wall {measured['cpu']:8.2f} s CPU", flush=True)
    medians = {
        way: {key: statistics.median(item[key] for item in rows) for key in rows[0]} for way, rows in found.items()
    }
    print(f"\n{chosen.partitions} partitions x {chosen.objects} objects x {chosen.records} records, {_where()}")
    print(f"{'':8} {'wall s':>8} {'CPU s':>8} {'ms each':>8} {'start-up s':>10} {'peak MB':>8}")
    for way, row in medians.items():
        each = row["wall"] / chosen.partitions * 1000
        print(f"{way:8} {row['wall']:8.2f} {row['cpu']:8.2f} {each:8.1f} {row['start-up']:10.2f} {row['peak_mb']:8.0f}")
    for line in _lines(medians, chosen.partitions):
        tell(line)


def _lines(medians: dict[str, dict[str, float]], partitions: int) -> list[Line]:
    floor, chunked, singly = (medians[way] for way in WAYS)
    a_process_each = singly["wall"] + singly["start-up"] * partitions
    times, faster = chunked["wall"] / floor["wall"], a_process_each / chunked["wall"]
    what, ours = f"backfill of {partitions} partitions", f"{chunked['wall']:.1f} s, {chunked['cpu']:.1f} CPU"
    by_cpu = chunked["cpu"] / floor["cpu"]
    return [
        Line(
            2,
            what,
            ours,
            f"one DuckDB query: {floor['wall']:.2f} s",
            f"{times:.0f} ({by_cpu:.0f} by CPU)",
            f"<= {MOST_TIMES} x",
            times <= MOST_TIMES,
        ),
        Line(
            2,
            what,
            ours,
            f"a run and a process each: {a_process_each:,.0f} s",
            f"{faster:.1f} x faster",
            f">= {LEAST_FASTER} x faster",
            faster >= LEAST_FASTER,
        ),
        Line(
            2,
            what,
            ours,
            f"a run each in one process: {singly['wall']:.0f} s",
            f"{singly['wall'] / chunked['wall']:.1f} x faster",
        ),
    ]


def _where() -> str:
    versions: Sequence[Any] = [f"{name} {importlib.metadata.version(name)}" for name in VERSIONS]
    python, moment = platform.python_version(), datetime.now(UTC)
    return f"{moment:%Y-%m-%d %H:%M} UTC, load {os.getloadavg()[0]:.1f}, Python {python}, {', '.join(versions)}"


def main() -> None:
    started = time.process_time()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--partitions", type=int, default=365)
    parser.add_argument("--objects", type=int, default=5)
    parser.add_argument("--records", type=int, default=200, help="in each object")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--subject", choices=WAYS, help="run one way once and print its figures as JSON")
    chosen = parser.parse_args()
    if chosen.subject:
        print(json.dumps(run_subject(chosen.subject, chosen, started)))
    else:
        compare(chosen)


if __name__ == "__main__":
    main()
