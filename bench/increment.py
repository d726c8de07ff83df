"""What one more object costs: `python -m bench.increment [--objects N] [--records N] [--runs N]`.

A partition of 1,000 objects is published; then one object more lands, of new orders alone or with newer versions of
some that are published. Reference: the partition built anew from all 1,001 objects. Both are measured from the manifest
to the published table, each in a process of its own, in turn; times start after the imports.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from isal import igzip

from bench.partition_records import write_partition
from bench.report import Line, tell

if TYPE_CHECKING:
    from resources.iceberg_tables import IcebergTables
    from resources.object_store import LocalObjectStore
    from sluice.contract import Contract
    from sluice.manifest import Manifest
    from sluice.outcome import Outcome

DATA = Path(__file__).parent / ".data"
CONTRACT = Path(__file__).parent / "contract_orders.yaml"
PARTITION = "2026-11-01"
HOME, PUBLISHED = DATA / "run-increment", DATA / "run-increment-published"
KINDS = ("new orders", "newer versions")
WAYS = ("sluice", "anew")
PARTS = ("find", "build", "profile", "publish")
UNITS = (("wall", "s,"), ("cpu", "CPU"))
TARGET = 20

Measured = dict[str, float | str]


def prepare(objects: int, records: int) -> None:
    """Publish the partition of all objects but the last; the state of it is copied for each run."""
    folder = DATA / f"increment-{objects}-{records}"
    write_partition(folder, records=(objects + 1) * records, files=objects + 1)
    shutil.rmtree(HOME, ignore_errors=True)
    shutil.rmtree(PUBLISHED, ignore_errors=True)
    landing = HOME / "raw" / "bench_orders" / f"date={PARTITION}"
    landing.mkdir(parents=True)
    *first, last = sorted(folder.glob("*.gz"))
    for file in first:
        (landing / file.name).hardlink_to(file)
    (HOME / "last").mkdir()
    (HOME / "last" / KINDS[0]).hardlink_to(last)
    (HOME / "last" / KINDS[1]).write_bytes(igzip.compress(_newer(gzip.decompress(last.read_bytes()), records)))
    build(*_open(), earlier=None, anew=True)
    HOME.rename(PUBLISHED)


def _newer(text: bytes, records: int) -> bytes:
    """Give one record in a hundred the number of an order of the first objects."""
    lines = text.splitlines(keepends=True)
    for number in range(0, len(lines), 100):
        lines[number] = re.sub(rb'"order_id":\d+', b'"order_id":%d' % (number * records // 100), lines[number])
    return b"".join(lines)


def _open() -> tuple[Contract, LocalObjectStore, IcebergTables, Manifest]:
    from resources.iceberg_tables import IcebergTables
    from resources.local_catalog import open_local_catalog
    from resources.object_store import LocalObjectStore
    from sluice.contract_file import read_contract
    from sluice.manifest import RawObject, build_manifest

    contract = read_contract(CONTRACT.read_text(), path=str(CONTRACT))
    store = LocalObjectStore(HOME)
    listed = store.list(f"raw/{contract.dataset}/date={PARTITION}/")
    objects = tuple(RawObject(item.key, store.etag(item.key) or "", item.size) for item in listed)
    tables = IcebergTables(open_local_catalog(HOME / "catalog.db", HOME / "tables"), store)
    return contract, store, tables, build_manifest(contract.dataset, PARTITION, objects)


def build(
    contract: Contract,
    store: LocalObjectStore,
    tables: IcebergTables,
    manifest: Manifest,
    *,
    earlier: Outcome | None,
    anew: bool,
) -> tuple[Outcome, Measured]:
    """Build, measure for the gates, judge conservation and publish; return the seconds of each part."""
    from pipeline_assets.fragment_reuse import find_reuse
    from pipeline_assets.staging import build_partition
    from resources.clock import SystemClock
    from sluice.gates.evidence import StagedEvidence
    from sluice.gates.records_are_conserved import judge
    from sluice.profile import measure

    if anew:
        for known in HOME.glob(f"processed/*/date={PARTITION}/_newest-*"):
            known.unlink()
    times = [time.perf_counter()]
    find_reuse(store, contract, manifest, earlier)  # as the estimate does
    times.append(time.perf_counter())
    outcome = build_partition(
        contract=contract,
        manifest=manifest,
        store=store,
        scratch=HOME / "scratch",
        run_id="bench",
        clock=SystemClock(),
        earlier=earlier,
    )
    times.append(time.perf_counter())
    profile = measure(contract, outcome, [store.uri(file.key) for file in outcome.files], HOME / "scratch")
    verdict = judge(StagedEvidence(contract, outcome, profile))
    assert verdict.holds, verdict.explanation
    assert not profile.repeated_keys
    times.append(time.perf_counter())
    tables.publish(contract, outcome, 1 if earlier is None else 2)
    times.append(time.perf_counter())
    return outcome, dict(zip(PARTS, (after - before for before, after in pairwise(times)), strict=True))


def run_once(way: str, kind: str) -> Measured:
    """Land the last object and bring it into the table, in this process."""
    from sluice.outcome import Outcome

    shutil.rmtree(HOME, ignore_errors=True)
    shutil.copytree(PUBLISHED, HOME)
    shutil.copy(HOME / "last" / kind, HOME / f"raw/bench_orders/date={PARTITION}/part-99999.jsonl.gz")
    (staged,) = HOME.glob(f"processed/*/date={PARTITION}/*/_outcome.json")
    earlier = Outcome.model_validate_json(staged.read_text())
    anew = way == "anew"
    opened = _open()
    import pipeline_assets.staging  # noqa: F401  not to be measured

    before = resource.getrusage(resource.RUSAGE_SELF)
    outcome, measured = build(
        *opened, earlier=earlier.model_copy(update={"fragments": ()}) if anew else earlier, anew=anew
    )
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert outcome.objects_parsed == (len(outcome.objects) if anew else 1)
    seconds = sum(float(measured[part]) for part in PARTS)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    files = opened[2].files("bench_orders", PARTITION)
    return {**measured, "wall": seconds, "cpu": cpu, "files": len(files), "result": _hash(outcome, files)}


def _hash(outcome: Outcome, files: tuple[str, ...]) -> str:
    """What is published, what is rejected, and where every object's records went, whatever file they are in."""
    quarantine = [str(HOME / file.key) for file in outcome.quarantine_files]
    rows = "SELECT {} FROM read_parquet($1, hive_partitioning = false)"
    hashed = f"SELECT bit_xor(md5_number(t::VARCHAR)), count(*) FROM ({rows}) t"
    found = [
        duckdb.execute(hashed.format("*"), [list(files)]).fetchone(),
        duckdb.execute(hashed.format("object, line_no, raw, reasons"), [quarantine]).fetchone(),
        [item.model_dump() for item in outcome.objects],
    ]
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def measure_way(way: str, kind: str) -> Measured:
    command = [sys.executable, "-m", "bench.increment", "--way", way, "--kind", kind]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def compare(kind: str, runs: int) -> None:
    """Run both ways in turn and print medians and ratios."""
    found: dict[str, list[Measured]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            found[way].append(measure_way(way, kind))
    results = {str(item["result"]) for measured in found.values() for item in measured}
    assert len(results) == 1, f"the results differ: {results}"
    print(f"\none more object with {kind}; medians of {runs}; equal results ({results.pop()})")
    columns = (*PARTS, "wall", "cpu", "files")
    print(f"{'':7}", *(f"{name:>8}" for name in columns))
    for way, measured in found.items():
        print(f"{way:7}", *(f"{statistics.median(float(item[name]) for item in measured):8.3f}" for name in columns))
    times: dict[str, float] = {}
    for name in ("build", "wall", "cpu"):
        ratios = [float(anew[name]) / float(own[name]) for own, anew in zip(*found.values(), strict=True)]
        times[name] = statistics.median(ratios)
        print(f"anew / sluice, {name}: median {times[name]:.1f}, {min(ratios):.1f} to {max(ratios):.1f}")
    own, anew = (
        " ".join(f"{statistics.median(float(item[name]) for item in rows):.2f} {unit}" for name, unit in UNITS)
        for rows in found.values()
    )
    told = f"{times['cpu']:.1f} x cheaper ({times['wall']:.1f} by wall)"
    is_judged = kind == KINDS[0]  # what supersedes half of a partition has to write it again
    target, held = (f">= {TARGET} x cheaper", times["cpu"] >= TARGET) if is_judged else ("", None)
    tell(Line(3, f"one object more, {kind}", own, f"all of it anew: {anew}", told, target, held))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--objects", type=int, default=1_000)
    parser.add_argument("--records", type=int, default=2_000, help="per object")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--way", choices=WAYS, help="run one way once and print its figures as JSON")
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0])
    chosen = parser.parse_args()
    if chosen.way:
        print(json.dumps(run_once(chosen.way, chosen.kind)))
        return
    prepare(chosen.objects, chosen.records)
    print(f"{chosen.objects:,} objects of {chosen.records:,} records", flush=True)
    for kind in KINDS:
        compare(kind, chosen.runs)
    shutil.rmtree(HOME)
    shutil.rmtree(PUBLISHED)


if __name__ == "__main__":
    main()
