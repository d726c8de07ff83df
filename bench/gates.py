"""What the gates cost beside the transform: `python -m bench.gates [--records N] [--runs N]`.

Every run is a process of its own that builds the benchmark's partition, and then measures and judges it: first under
the benchmark's contract, then with five metrics named. Expectations, which are not among them, are printed beside.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bench.partition_records import write_partition
from bench.report import Line, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from resources.object_store import LocalObjectStore
    from sluice.contract import Contract
    from sluice.gates.evidence import History, ObjectHead, RawEvidence, StagedEvidence
    from sluice.manifest import Manifest, RawObject
    from sluice.outcome import Outcome
    from sluice.profile import Profile

DATA = Path(__file__).parent / ".data"
CONTRACT = Path(__file__).parent / "contract_orders.yaml"
PARTITION = "2026-11-01"
FILES = 20
HISTORY = 180
FIVE = (
    ("mean", "amount"),
    ("sum", "quantity"),
    ("maximum", "created_at"),
    ("distinct_count", "user_id"),
    ("null_share", "note"),
)
TARGET = 0.10

Seconds = dict[str, float]


@contextmanager
def timed(name: str, found: Seconds) -> Iterator[None]:
    """Add the CPU seconds of all threads."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    yield
    after = resource.getrusage(resource.RUSAGE_SELF)
    found[name] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run_once(records: int) -> Seconds:
    """Build, measure and judge in this process."""
    from resources.object_store import LocalObjectStore

    folder, workspace = DATA / f"orders-{records}", DATA / "run-gates"
    shutil.rmtree(workspace, ignore_errors=True)
    contract = _contract()
    landing = workspace / "raw" / contract.dataset / f"date={PARTITION}"
    landing.parent.mkdir(parents=True)
    landing.symlink_to(folder, target_is_directory=True)
    try:
        return _measured(contract, LocalObjectStore(workspace), workspace)
    finally:
        shutil.rmtree(workspace)


def _measured(contract: Contract, store: LocalObjectStore, workspace: Path) -> Seconds:
    from sluice.gates import RAW_GATES, STAGED_GATES
    from sluice.judging import gates_of, judge_raw, judge_staged
    from sluice.profile import measure
    from sluice.profile.footers import read_footer
    from sluice.profile.repeated_keys import repeated_keys
    from sluice.profile.staged_rows import open_staged

    found: Seconds = {}
    now, manifest = datetime.now(UTC), _manifest(contract, store)
    with timed("transform", found):
        outcome = _build(contract, manifest, store, workspace)
    with timed("raw gates", found):
        raw = _raw_evidence(contract, manifest, store)
        judged = [*judge_raw(gates_of(contract, RAW_GATES), raw, outcome.version, "bench", now)]
    paths = [store.uri(file.key) for file in outcome.files]
    with timed("measuring", found):
        profile = measure(contract, outcome, paths, workspace)
    evidence = _evidence(contract, outcome, profile)
    with timed("judging", found):
        judged += judge_staged(gates_of(contract, STAGED_GATES), evidence, "bench", now)
    with timed("footers again", found):
        footers = [read_footer(path) for path in paths]
    with timed("key again", found), open_staged(paths, workspace) as connection:
        repeated_keys(connection, contract.primary_key, sum(sum(footer.row_group_records) for footer in footers))
    five = _with_five_metrics(contract)
    with timed("measuring, 5 metrics", found):
        profile = measure(five, outcome, paths, workspace)
    evidence = _evidence(five, outcome, profile)
    with timed("judging, 5 metrics", found):
        judged += judge_staged(gates_of(five, STAGED_GATES), evidence, "bench", now)
    with timed("15 expectations", found):
        _judge_expectations(contract, outcome, paths, workspace, now)
    return {**found, "gates": len({item.gate for item in judged})}


def _judge_expectations(contract: Contract, outcome: Outcome, paths: list[str], workspace: Path, now: datetime) -> None:
    """By SQL, as the gate does; `python -m bench.expectations` has Great Expectations itself."""
    from bench.expectations import EXPECTED
    from sluice.duckdb_sessions import Limits, connect
    from sluice.expectations.expectation import Expectation
    from sluice.expectations.judging import judge_expectations

    asked = tuple(Expectation(kind, json.dumps(kwargs), kind) for kind, kwargs in EXPECTED)
    folder = workspace / "expectations"
    folder.mkdir()
    with connect(folder, Limits()) as connection:
        results = judge_expectations(
            replace(contract, expectations=asked),
            PARTITION,
            paths,
            version=str(outcome.version),
            judged_at=now,
            connection=connection,
            rest=lambda *_: (),
        )
    assert not any(item.error for item in results.results)


def _contract() -> Contract:
    from sluice.contract_file import read_contract

    return read_contract(CONTRACT.read_text(), path=str(CONTRACT))


def _with_five_metrics(contract: Contract) -> Contract:
    from sluice.gate_rules import Expected, Metric

    metrics = tuple(Expected(Metric(kind, column)) for kind, column in FIVE)
    return replace(contract, gates=replace(contract.gates, metrics=metrics))


def _manifest(contract: Contract, store: LocalObjectStore) -> Manifest:
    from sluice.manifest import RawObject, build_manifest

    listed = store.list(f"raw/{contract.dataset}/date={PARTITION}/")
    return build_manifest(
        contract.dataset,
        PARTITION,
        tuple(RawObject(item.key, store.etag(item.key) or "", item.size) for item in listed),
    )


def _build(contract: Contract, manifest: Manifest, store: LocalObjectStore, workspace: Path) -> Outcome:
    from pipeline_assets.staging import build_partition
    from resources.clock import SystemClock

    return build_partition(
        contract=contract,
        manifest=manifest,
        store=store,
        scratch=workspace / "scratch",
        run_id="bench",
        clock=SystemClock(),
    )


def _raw_evidence(contract: Contract, manifest: Manifest, store: LocalObjectStore) -> RawEvidence:
    from sluice.gates.evidence import RawEvidence

    heads = {item.key: _head(item, store) for item in manifest.objects}
    return RawEvidence(contract=contract, partition=PARTITION, objects=manifest.objects, heads=heads)


def _head(item: RawObject, store: LocalObjectStore) -> ObjectHead:
    from sluice.gates.evidence import ObjectHead

    with store.open(item.key) as opened:
        first = opened.read(16)
        opened.seek(max(0, item.size - 16))
        return ObjectHead(first, opened.read(16))


def _evidence(contract: Contract, outcome: Outcome, profile: Profile) -> StagedEvidence:
    from sluice.gates.evidence import StagedEvidence

    return StagedEvidence(contract=contract, outcome=outcome, profile=profile, history=_history(profile.metrics))


def _history(metrics: Mapping[str, float]) -> Mapping[str, History]:
    """Half a year in which every metric varied by a few per cent, so that all limits are learned ones."""
    first = date.fromisoformat(PARTITION) - timedelta(days=HISTORY)
    days = [(first + timedelta(days=number)).isoformat() for number in range(HISTORY)]
    return {
        name: tuple((day, value * (0.97 + 0.01 * (number % 7))) for number, day in enumerate(days))
        for name, value in metrics.items()
    }


def compare(records: int, runs: int) -> None:
    """Print medians and the gates' share of the transform's CPU, of pairs of one process."""
    command = [sys.executable, "-m", "bench.gates", "--records", str(records), "--once"]
    found: list[Seconds] = []
    for _ in range(runs):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    gates = found[0].pop("gates")
    print(f"{records:,} records, {gates} gates, medians of {runs}")
    for name in found[0]:
        print(f"{name:22} {statistics.median(item[name] for item in found):7.3f} s CPU")
    for suffix in ("", ", 5 metrics"):
        shares = [_share(item, suffix) for item in found]
        print(
            f"gates{suffix} / transform: median {statistics.median(shares):.1%}, {min(shares):.1%} to {max(shares):.1%}"
        )
    share = statistics.median(item["15 expectations"] / item["transform"] for item in found)
    print(f"15 expectations, which are not among them / transform: median {share:.1%}")
    print(f"target, without expectations: at most {TARGET:.0%}")
    transform = f"transform: {statistics.median(item['transform'] for item in found):.2f} CPU"
    for suffix in ("", ", 5 metrics"):
        share = statistics.median(_share(item, suffix) for item in found)
        seconds = statistics.median(_seconds(item, suffix) for item in found)
        what = f"{gates:g} gates{suffix}, {records:,} records"
        tell(Line(7, what, f"{seconds:.2f} CPU", transform, f"{share:.1%}", f"<= {TARGET:.0%}", share <= TARGET))


def _share(item: Seconds, suffix: str) -> float:
    return _seconds(item, suffix) / item["transform"]


def _seconds(item: Seconds, suffix: str) -> float:
    parts: Iterable[str] = ("raw gates", f"measuring{suffix}", f"judging{suffix}")
    return sum(item[name] for name in parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--quick", action="store_true", help="a tenth of the records, once: fixed costs weigh more")
    parser.add_argument("--once", action="store_true", help="run once in this process and print its figures as JSON")
    chosen = parser.parse_args()
    records, runs = (
        chosen.records or (200_000 if chosen.quick else 2_000_000),
        chosen.runs or (1 if chosen.quick else 3),
    )
    write_partition(DATA / f"orders-{records}", records=records, files=FILES)
    if chosen.once:
        print(json.dumps(run_once(records)))
    else:
        compare(records, runs)


if __name__ == "__main__":
    main()
