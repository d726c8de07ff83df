"""One day of two million records: `python -m bench.transform [--records N] [--runs N] [--others N] [--quick]`.

The floor is one DuckDB statement, COPY (SELECT * FROM read_json(...)) TO Parquet, which checks and publishes nothing.
The other tools do what Sluice does, as their users would write it (`bench/one_day`), and must come to the same rows and
the same rejected lines. All are processes of their own, in turn; times start after imports and after Spark's session.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.one_day.rows import rejects_digest, rows_digest
from bench.other_tools import Missing, java, python_with
from bench.partition_records import write_partition
from bench.report import Line, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "bench" / ".data"
FILES = 20
FULL = 2_000_000
MOST_OF_FLOOR = 1.6
LEAST_OF_LAMBDA = 6.0

Measured = dict[str, float]


def _main_python() -> Path:
    return Path(sys.executable)


def _spark_python() -> Path:
    java()
    return python_with("spark")


@dataclass(frozen=True, slots=True)
class Subject:
    """A script of `bench/one_day`, and where it leaves its rows and what it rejected (globs below its workspace)."""

    script: str
    rows: str = ""
    rejects: str = ""
    rejected_text: str = ""
    latest_by: str = ""
    python: Callable[[], Path] = _main_python

    def digest(self, workspace: Path) -> str:
        rows = rows_digest(str(workspace / self.rows), latest_by=self.latest_by)
        return f"{rows}, {rejects_digest(str(workspace / self.rejects), self.rejected_text)}"


SUBJECTS = {
    "copy": Subject("bare_copy"),
    "sluice": Subject("sluice_build", "processed/**/part-*.parquet", "quarantine/**/*.parquet", "decode(raw)"),
    "lambda": Subject("lambda_style", "orders.parquet", "rejected.jsonl", "text"),
    "spark": Subject("spark", "orders/*.parquet", "rejected/*.json", "value", python=_spark_python),
    "dlt": Subject(
        "dlt_pipeline",
        "loaded/bench/orders/*.parquet",
        "loaded/bench/rejected/*.parquet",
        "line",
        latest_by="created_at DESC, source_place DESC",
        python=lambda: python_with("dlt"),
    ),
}
WARMED_UP = ("copy", "sluice")
NAMES = {
    "copy": "bare DuckDB COPY",
    "lambda": "Lambda-style Python",
    "spark": "PySpark local[2], from_json",
    "dlt": "dlt, winners not chosen",
}


def measure(name: str, folder: Path) -> tuple[Measured, str]:
    """Run one subject in a fresh process; return what it took and a digest of what it left."""
    subject, workspace = SUBJECTS[name], DATA / f"run-{name}"
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(parents=True)
    command = [str(subject.python()), "-m", f"bench.one_day.{subject.script}", str(folder), str(workspace)]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=_environment())
        return json.loads(done.stdout.splitlines()[-1]), subject.digest(workspace) if subject.rows else ""
    except subprocess.CalledProcessError as error:
        raise Missing(f"it failed: {error.stderr.strip().splitlines()[-1:]}") from error
    finally:
        shutil.rmtree(workspace)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "SPARK_LOCAL_IP": "127.0.0.1"}


def compare(folder: Path, runs: Mapping[str, int]) -> dict[str, list[Measured]]:
    """Run all subjects in turn, each as often as `runs` says; those that cannot be run are told and left out."""
    found: dict[str, list[Measured]] = defaultdict(list)
    digests: dict[str, str] = {}
    missing: set[str] = set()
    for number in range(max(runs.values()) + 1):
        due = [name for name, most in runs.items() if number <= most and name not in missing]
        for name in due if number else WARMED_UP:
            try:
                measured, digests[name] = measure(name, folder)
            except Missing as reason:
                print(f"{name} is left out: {reason}", flush=True)
                missing.add(name)
                continue
            _show(name, number, measured)
            found[name] += [measured] if number else []
    expected = digests["sluice"]
    print(f"{expected} by Sluice")
    for name in found.keys() - {"copy", "sluice"}:
        assert digests[name] == expected, f"{name} came to other rows: {digests[name]}"
        print(f"the same by {name}")
    return found


def _show(name: str, number: int, measured: Measured) -> None:
    kept = f"run {number}" if number else "warm-up"
    print(f"{kept:8} {name:7} {measured['wall']:7.2f} s wall {measured['cpu']:7.2f} s CPU", flush=True)


def summarize(found: Mapping[str, Sequence[Measured]], records: int) -> None:
    print(f"\n{records:,} records in {FILES} files, medians of {', '.join(f'{len(v)} {n}' for n, v in found.items())}")
    print(f"{'':7} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    for name, measurements in found.items():
        row = {key: _median(measurements, key) for key in ("wall", "cpu", "peak_mb")}
        print(f"{name:7} {row['wall']:8.2f} {row['cpu']:8.2f} {row['peak_mb']:8.0f}")
    for name in NAMES:
        if name in found:
            tell(_line(name, found["sluice"], found[name], is_full=records >= FULL))


def _line(name: str, ours: Sequence[Measured], theirs: Sequence[Measured], *, is_full: bool) -> Line:
    """By wall, as the targets are; a ratio is the median of those of each pair that ran in the same turn."""
    wall, cpu = ([us[key] / them[key] for us, them in zip(ours, theirs, strict=False)] for key in ("wall", "cpu"))
    ratio, by_cpu = statistics.median(wall), statistics.median(cpu)
    is_floor = name == "copy"
    shown = f"{ratio:.2f} ({by_cpu:.2f} by CPU)" if is_floor else f"{1 / ratio:.1f} x faster ({1 / by_cpu:.1f} by CPU)"
    target, held = {
        "copy": (f"<= {MOST_OF_FLOOR} x", ratio <= MOST_OF_FLOOR),
        "lambda": (f">= {LEAST_OF_LAMBDA:g} x faster", 1 / ratio >= LEAST_OF_LAMBDA),
    }.get(name, ("", None))
    seconds = [f"{_median(measured, 'wall'):.2f} s, {_median(measured, 'cpu'):.2f} CPU" for measured in (ours, theirs)]
    reference = f"{NAMES[name]}: {seconds[1]}"
    return Line(1, "one day of 2M records", seconds[0], reference, shown, target, held if is_full else None)


def _median(measurements: Sequence[Measured], key: str) -> float:
    return statistics.median(item[key] for item in measurements)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int)
    parser.add_argument("--runs", type=int, help="of the floor and Sluice; half as many of the Lambda-style program")
    parser.add_argument("--others", type=int, default=1, help="runs of Spark and of dlt, which take a minute each")
    parser.add_argument("--quick", action="store_true", help="a tenth of the records: fixed costs weigh more")
    chosen = parser.parse_args()
    records, runs = chosen.records or (FULL // 10 if chosen.quick else FULL), chosen.runs or (2 if chosen.quick else 5)
    folder = DATA / f"orders-{records}"
    write_partition(folder, records=records, files=FILES)
    often = {"copy": runs, "sluice": runs, "lambda": max(1, runs // 2), "spark": chosen.others, "dlt": chosen.others}
    summarize(compare(folder, {name: most for name, most in often.items() if most}), records)


if __name__ == "__main__":
    main()
