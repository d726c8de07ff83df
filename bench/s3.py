"""How much slower is a build from S3 than from a folder: `python -m bench.s3 [--records N] [--runs N]`.

The same objects, the same build (read, cast, judge, deduplicate, stage), in turn, in one process. The S3 is ministack
on this machine (`make test-aws` installs it), so its own work takes from the same cores: S3 itself would be farther
away, and cost no CPU.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.partition_records import write_partition
from bench.report import Line, tell
from pipeline_assets.staging import build_partition
from resources.clock import SystemClock
from resources.object_store import LocalObjectStore
from resources.s3_store import S3ObjectStore
from sluice.contract_file import read_contract
from sluice.manifest import RawObject, build_manifest
from tests.aws_server import CREDENTIALS, running_aws

if TYPE_CHECKING:
    from resources.object_store import ObjectStore
    from tests.aws_server import AwsServer

DATA = Path(__file__).parent / ".data"
CONTRACT = Path(__file__).parent / "contract_orders.yaml"
PARTITION = "2026-11-01"
FILES = 20
TARGET = 0.7


def build(store: ObjectStore, keys: list[str], scratch: Path) -> tuple[float, int]:
    """Return seconds and records of one build, from the manifest to the staged files."""
    contract = read_contract(CONTRACT.read_text(), path=str(CONTRACT))
    started = time.perf_counter()
    objects = tuple(RawObject(key, store.etag(key) or "", 0) for key in keys)
    outcome = build_partition(
        contract=contract,
        manifest=build_manifest(contract.dataset, PARTITION, objects),
        store=store,
        scratch=scratch,
        run_id="bench",
        clock=SystemClock(),
    )
    assert all(item.closes for item in outcome.objects)
    return time.perf_counter() - started, outcome.published


def fill(store: ObjectStore, folder: Path, scratch: Path) -> list[str]:
    keys = [f"raw/orders/date={PARTITION}/{file.name}" for file in sorted(folder.glob("*.gz"))]
    for file, key in zip(sorted(folder.glob("*.gz")), keys, strict=True):
        copy = scratch / file.name
        shutil.copyfile(file, copy)
        store.put(key, copy)
    return keys


def compare(server: AwsServer, folder: Path, workspace: Path, runs: int) -> None:
    """Build in turn, each time into a new store, so that nothing staged is found again."""
    found: dict[str, list[float]] = {"local": [], "s3": []}
    records: set[int] = set()
    for number in range(runs + 1):
        stores: dict[str, ObjectStore] = {
            "local": LocalObjectStore(workspace / f"home-{number}"),
            "s3": S3ObjectStore(server.place(server.new_bucket(f"bench-{number}"))),
        }
        for name, store in stores.items():
            seconds, published = build(store, fill(store, folder, workspace), workspace)
            records.add(published)
            kept = "warm-up" if number == 0 else f"run {number}"
            print(f"{kept:8} {name:6} {seconds:6.2f} s, {published / seconds:10,.0f} records/s", flush=True)
            if number:
                found[name].append(seconds)
    assert len(records) == 1
    print(
        f"\nmedians of {runs}: " + ", ".join(f"{name} {statistics.median(item):.2f} s" for name, item in found.items())
    )
    shares = [local / remote for local, remote in zip(found["local"], found["s3"], strict=True)]
    share = statistics.median(shares)
    print(f"throughput from S3: median {share:.0%} of local, {min(shares):.0%} to {max(shares):.0%}")
    local, remote = (statistics.median(item) for item in (found["local"], found["s3"]))
    what, held = f"transform from S3, {records.pop():,} records", share >= TARGET
    tell(Line(8, what, f"{remote:.2f} s", f"from a folder: {local:.2f} s", f"{share:.0%}", f">= {TARGET:.0%}", held))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    folder = DATA / f"orders-{chosen.records}"
    write_partition(folder, records=chosen.records, files=FILES)
    os.environ.update(CREDENTIALS)
    with tempfile.TemporaryDirectory(dir=DATA) as scratch, running_aws(Path(scratch)) as server:
        compare(server, folder, Path(scratch), chosen.runs)


if __name__ == "__main__":
    main()
