"""What expectations cost: `python -m bench.expectations [--records N] [--runs N]`.

Fifteen expectations over one staged partition, judged by SQL on DuckDB, by Great Expectations on pandas, and by SQL
with one expectation left to Great Expectations. Each runs in a process of its own, in turn; memory is the peak of the
process.
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
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.partition_records import write_partition
from bench.report import Line, tell

if TYPE_CHECKING:
    from sluice.contract import Contract

DATA = Path(__file__).parent / ".data"
CONTRACT = Path(__file__).parent / "contract_orders.yaml"
PARTITION = "2026-11-01"
FILES = 20

Measured = dict[str, float]

EXPECTED: tuple[tuple[str, dict[str, object]], ...] = (
    ("expect_table_row_count_to_be_between", {"min_value": 1}),
    ("expect_column_values_to_not_be_null", {"column": "order_id"}),
    ("expect_column_values_to_be_unique", {"column": "order_id"}),
    ("expect_column_values_to_be_in_set", {"column": "status", "value_set": ["new", "paid", "shipped", "cancelled"]}),
    ("expect_column_values_to_be_in_set", {"column": "currency", "value_set": ["INR", "USD"], "mostly": 0.5}),
    ("expect_column_values_to_match_regex", {"column": "country", "regex": "^[A-Z]{2}$"}),
    ("expect_column_values_to_match_regex", {"column": "email", "regex": "^[a-z0-9]+@example[.]com$"}),
    ("expect_column_value_lengths_to_equal", {"column": "currency", "value": 3}),
    ("expect_column_values_to_be_between", {"column": "amount", "min_value": 0, "max_value": 1000}),
    ("expect_column_values_to_be_between", {"column": "quantity", "min_value": 1, "max_value": 9}),
    ("expect_column_mean_to_be_between", {"column": "amount", "min_value": 400, "max_value": 600}),
    ("expect_column_median_to_be_between", {"column": "amount", "min_value": 400, "max_value": 600}),
    ("expect_column_stdev_to_be_between", {"column": "amount", "min_value": 1}),
    ("expect_column_unique_value_count_to_be_between", {"column": "user_id", "min_value": 1000}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["order_id", "sku"]}),
)
LEFT = ("expect_column_value_z_scores_to_be_less_than", {"column": "amount", "threshold": 4, "double_sided": True})


def stage(records: int) -> list[str]:
    """Build the partition by the transform, once; return its Parquet files."""
    from pipeline_assets.staging import build_partition
    from resources.clock import SystemClock
    from resources.object_store import LocalObjectStore
    from sluice.manifest import RawObject, build_manifest

    workspace = DATA / f"staged-{records}"
    if not (workspace / "done").exists():
        shutil.rmtree(workspace, ignore_errors=True)
        contract, store = _contract(), LocalObjectStore(workspace)
        folder = workspace / "raw" / contract.dataset / f"date={PARTITION}"
        write_partition(folder, records=records, files=FILES)
        keys = [f"raw/{contract.dataset}/date={PARTITION}/{file.name}" for file in sorted(folder.glob("*.gz"))]
        objects = tuple(RawObject(key, store.etag(key) or "", 0) for key in keys)
        build_partition(
            contract=contract,
            manifest=build_manifest(contract.dataset, PARTITION, objects),
            store=store,
            scratch=workspace / "scratch",
            run_id="bench",
            clock=SystemClock(),
        )
        (workspace / "done").touch()
    return sorted(str(path) for path in (workspace / "processed").rglob("*.parquet"))


def _contract(*, left: bool = False) -> Contract:
    from sluice.contract_file import read_contract
    from sluice.expectations.expectation import Expectation

    expected = (*EXPECTED[:-1], LEFT) if left else EXPECTED
    contract = read_contract(CONTRACT.read_text(), path=str(CONTRACT))
    return replace(
        contract, expectations=tuple(Expectation(kind, json.dumps(kwargs), kind) for kind, kwargs in expected)
    )


def by_sql(paths: list[str]) -> tuple[int, float]:
    return _by_sluice(_contract(), paths), 0.0


def by_sql_and_one_left(paths: list[str]) -> tuple[int, float]:
    seconds = _import_great_expectations()
    return _by_sluice(_contract(left=True), paths), seconds


def by_pandas(paths: list[str]) -> tuple[int, float]:
    """All of it by Great Expectations, on the columns that it needs."""
    import duckdb

    from resources.great_expectations_engine import judge_with_great_expectations
    from sluice.expectations.judging import open_batch

    seconds = _import_great_expectations()
    contract = _contract()
    with duckdb.connect() as connection:
        open_batch(connection, {column.name: column.type for column in contract.columns}, paths)
        found = judge_with_great_expectations(connection, contract.expectations)
    return sum(item.success for item in found), seconds


def _by_sluice(contract: Contract, paths: list[str]) -> int:
    import duckdb

    from resources.great_expectations_engine import judge_with_great_expectations
    from sluice.expectations.judging import judge_expectations

    with duckdb.connect() as connection:
        results = judge_expectations(
            contract,
            PARTITION,
            paths,
            version="bench",
            judged_at=datetime.now(UTC),
            connection=connection,
            rest=judge_with_great_expectations,
        )
    return sum(item.success for item in results.results)


def _import_great_expectations() -> float:
    started = time.perf_counter()
    import great_expectations  # noqa: F401

    return time.perf_counter() - started


SUBJECTS = {"sql": by_sql, "sql, 1 left": by_sql_and_one_left, "pandas": by_pandas}


def run_subject(name: str, records: int) -> Measured:
    """Run one subject in this process; the run's time is without the import of Great Expectations."""
    import duckdb  # noqa: F401  the transform has imported it before

    paths = stage(records)
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    met, importing = SUBJECTS[name](paths)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"import": importing, "wall": wall - importing, "cpu": cpu, "peak_mb": after.ru_maxrss / 1024, "met": met}


def measure(name: str, records: int) -> Measured:
    command = [sys.executable, "-m", "bench.expectations", "--records", str(records), "--subject", name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def compare(records: int, runs: int) -> None:
    """Run the subjects in turn and print medians."""
    found: dict[str, list[Measured]] = {name: [] for name in SUBJECTS}
    for _ in range(runs):
        for name in SUBJECTS:
            found[name].append(measure(name, records))
    assert len({item["met"] for name in ("sql", "pandas") for item in found[name]}) == 1
    print(f"{len(EXPECTED)} expectations over {records:,} records, medians of {runs}")
    print(f"{'':12} {'import s':>8} {'run s':>8} {'CPU s':>8} {'peak MB':>8}")
    for name, measurements in found.items():
        keys = ("import", "wall", "cpu", "peak_mb")
        row = {key: statistics.median(item[key] for item in measurements) for key in keys}
        print(f"{name:12} {row['import']:8.2f} {row['wall']:8.2f} {row['cpu']:8.2f} {row['peak_mb']:8.0f}")
    ours, theirs = (statistics.median(item["cpu"] for item in found[name]) for name in ("sql", "pandas"))
    what = f"{len(EXPECTED)} expectations, {records:,} records"
    pandas = f"Great Expectations on pandas: {theirs:.2f} CPU"
    tell(Line(7, what, f"{ours:.2f} CPU", pandas, f"{theirs / ours:.1f} x cheaper"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--quick", action="store_true", help="a tenth of the records, once")
    parser.add_argument("--subject", choices=list(SUBJECTS), help="run one subject once and print its figures as JSON")
    chosen = parser.parse_args()
    records, runs = (
        chosen.records or (200_000 if chosen.quick else 2_000_000),
        chosen.runs or (1 if chosen.quick else 2),
    )
    if chosen.subject:
        print(json.dumps(run_subject(chosen.subject, records)))
    else:
        subprocess.run([sys.executable, "-c", f"from bench.expectations import stage; stage({records})"], check=True)
        compare(records, runs)


if __name__ == "__main__":
    main()
