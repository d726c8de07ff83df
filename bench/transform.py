"""How much dearer is a trusted partition than a bare copy: `python -m bench.transform [--records N] [--runs N]`.

Reference: one DuckDB statement, COPY (SELECT * FROM read_json(...)) TO Parquet, which checks and publishes nothing.
Sluice: manifest, strict parse, casts, rules, deduplication, quarantine, conservation gate, Iceberg publish. Both run as
processes of their own, in turn; times start after the imports, memory is the peak of the process.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from bench.partition_records import write_partition

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parent / ".data"
CONTRACT = Path(__file__).parent / "contract_orders.yaml"
PARTITION = "2026-11-01"
FILES = 20

Measured = dict[str, float]


def copy_bare(folder: Path, workspace: Path) -> Callable[[], int]:
    """The floor: every object through DuckDB's own reader into one Parquet file."""

    def run() -> int:
        query = f"SELECT * FROM read_json('{folder}/*.gz', format = 'newline_delimited', ignore_errors = true)"
        duckdb.execute(f"COPY ({query}) TO '{workspace / 'copy.parquet'}' (FORMAT parquet, COMPRESSION zstd)")
        return 0

    return run


def build_and_publish(folder: Path, workspace: Path) -> Callable[[], int]:
    """All that happens to a partition between the manifest and the published table."""
    from pipeline_assets.staging import build_partition
    from resources.clock import SystemClock
    from resources.iceberg_tables import IcebergTables
    from resources.local_catalog import open_local_catalog
    from resources.object_store import LocalObjectStore
    from sluice.contract_file import read_contract
    from sluice.gates.evidence import StagedEvidence
    from sluice.gates.records_are_conserved import judge
    from sluice.manifest import RawObject, build_manifest
    from sluice.profile import Profile

    contract = read_contract(CONTRACT.read_text(), path=str(CONTRACT))
    landing = workspace / "raw" / contract.dataset / f"date={PARTITION}"
    landing.parent.mkdir(parents=True)
    landing.symlink_to(folder, target_is_directory=True)
    store = LocalObjectStore(workspace)
    keys = [f"raw/{contract.dataset}/date={PARTITION}/{file.name}" for file in sorted(folder.glob("*.gz"))]

    def run() -> int:
        objects = tuple(RawObject(key, store.etag(key) or "", 0) for key in keys)
        outcome = build_partition(
            contract=contract,
            manifest=build_manifest(contract.dataset, PARTITION, objects),
            store=store,
            scratch=workspace / "scratch",
            run_id="bench",
            clock=SystemClock(),
        )
        verdict = judge(StagedEvidence(contract, outcome, Profile()))
        if not verdict.holds:
            raise SystemExit(verdict.explanation)
        tables = IcebergTables(open_local_catalog(workspace / "catalog.db", workspace / "tables"), store)
        tables.publish(contract, outcome, 1)
        return outcome.records_in

    return run


SUBJECTS = {"copy": copy_bare, "sluice": build_and_publish}


def run_subject(name: str, folder: Path) -> Measured:
    """Run one subject in this process and measure it."""
    workspace = DATA / f"run-{name}"
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(parents=True)
    try:
        run = SUBJECTS[name](folder, workspace)
        before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        run()
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_SELF)
    finally:
        shutil.rmtree(workspace)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "peak_mb": after.ru_maxrss / 1024}


def measure(name: str, records: int) -> Measured:
    """Run one subject in a fresh process."""
    command = [sys.executable, "-m", "bench.transform", "--records", str(records), "--subject", name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def compare(records: int, runs: int) -> None:
    """Run both subjects in turn and print medians and ratios."""
    found: dict[str, list[Measured]] = {name: [] for name in SUBJECTS}
    for number in range(runs + 1):
        for name in SUBJECTS:
            measured = measure(name, records)
            kept = "warm-up" if number == 0 else f"run {number}"
            print(f"{kept:8} {name:7} {measured['wall']:7.2f} s wall {measured['cpu']:7.2f} s CPU", flush=True)
            if number:
                found[name].append(measured)
    print(f"\n{records:,} records in {FILES} files, medians of {runs}")
    print(f"{'':7} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    for name, measurements in found.items():
        row = {key: statistics.median(item[key] for item in measurements) for key in ("wall", "cpu", "peak_mb")}
        print(f"{name:7} {row['wall']:8.2f} {row['cpu']:8.2f} {row['peak_mb']:8.0f}")
    for key in ("wall", "cpu"):
        ratios = [ours[key] / bare[key] for ours, bare in zip(found["sluice"], found["copy"], strict=True)]
        print(
            f"{key} ratio sluice / copy: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--subject", choices=list(SUBJECTS), help="run one subject once and print its figures as JSON")
    chosen = parser.parse_args()
    folder = DATA / f"orders-{chosen.records}"
    write_partition(folder, records=chosen.records, files=FILES)
    if chosen.subject:
        print(json.dumps(run_subject(chosen.subject, folder)))
    else:
        compare(chosen.records, chosen.runs)


if __name__ == "__main__":
    main()
