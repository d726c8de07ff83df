"""`sluice up`: a real web server and daemon. Slow and heavy, so it runs in `make test-daemon` only."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pytest

from pipeline_assets.cli.environment import Environment
from resources.clock import SystemClock
from resources.local_catalog import open_local_catalog
from resources.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

T = TypeVar("T")

pytestmark = [pytest.mark.daemon, pytest.mark.xdist_group("service")]  # its tests follow each other

CHECKOUT = Path(__file__).parents[2]
DATASETS = CHECKOUT / "tests" / "cases" / "datasets"
WEEK = [f"2026-11-{day:02}" for day in range(1, 8)]

LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
BACKFILL = """
query Backfill($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status partitionStatusCounts { runStatus count } }
  }
}"""
RUNS = """
query Runs { runsOrError { ... on Runs { results { jobName status tags { key value } } } } }
"""


class Service:
    """`sluice up` on a free port, with a home of its own."""

    def __init__(self, home: Path, port: int | None = None) -> None:
        self.home = home
        self.port = port or free_port()
        self.environment = Environment(Settings(home, (DATASETS,)), SystemClock(), home)
        variables = {**os.environ, "SLUICE_HOME": str(home), "SLUICE_DATASETS": str(DATASETS)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from pipeline_assets.cli import main; main()", "up", "--port", str(self.port)],
            cwd=CHECKOUT,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        kill_all(self.home)
        self.process.communicate()

    def wait_until_up(self) -> str:
        assert self.process.stdout is not None
        told = []
        for line in self.process.stdout:
            told.append(line)
            if line.startswith("Stop with"):
                break
        return "".join(told)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def land(self, day: str, *sales: tuple[int, str, float]) -> None:
        folder = self.home / f"raw/sales/date={day}"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"sale_id": number, "shop": shop, "amount": amount}) for number, shop, amount in sales]
        hidden = folder / ".a.jsonl"
        hidden.write_text("\n".join(lines) + "\n")
        hidden.replace(folder / "a.jsonl")

    @contextmanager
    def held_before_publication(self) -> Iterator[None]:
        """Hold the catalog, as another process that commits would: a run waits for it, so it can be killed at work."""
        settings = self.environment.settings
        open_local_catalog(settings.catalog_database, settings.tables).close()
        with closing(sqlite3.connect(settings.catalog_database)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield

    def rows(self, dataset: str, day: str) -> list[tuple[object, ...]]:
        import duckdb

        files = self.environment.tables.files(dataset, day)
        if not files:
            return []
        with duckdb.connect() as connection:
            published = f"read_parquet({list(files)}, hive_partitioning = false)"
            return connection.execute(f"SELECT * EXCLUDE partition_date FROM {published} ORDER BY ALL").fetchall()

    def ask(self, query: str, **variables: object) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]


def processes_of(home: Path) -> set[int]:
    """Return every process that works for this home: the command, the servers and their runs."""
    mark = f"SLUICE_HOME={home}\0".encode()
    return {int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in environment_of(path)}


def environment_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just ended, or is not ours
        return b""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(found: Callable[[], T], seconds: float) -> T:
    """Return the first true answer, or the last one when time is up."""
    until = time.monotonic() + seconds
    while not (answer := found()) and time.monotonic() < until:
        time.sleep(0.2)
    return answer


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("home")) as service:
        told = service.wait_until_up()
        assert f"http://127.0.0.1:{service.port}" in told
        yield service


def test_a_dropped_file_becomes_rows_and_derived_rows(service: Service) -> None:
    service.land("2026-11-10", (1, "north", 2.5), (2, "north", 1.0))

    sales = wait_for(lambda: service.rows("sales", "2026-11-10"), 120)
    totals = wait_for(lambda: service.rows("sales_totals", "2026-11-10"), 120)

    assert [(number, shop, str(amount)) for number, shop, amount in sales] == [
        (1, "north", "2.50"),
        (2, "north", "1.00"),
    ]
    assert [(shop, str(total)) for shop, total in totals] == [("north", "3.50")]


def test_an_overwritten_file_replaces_rows_and_derived_rows(service: Service) -> None:
    service.land("2026-11-11", (1, "north", 2.5))
    wait_for(lambda: service.rows("sales_totals", "2026-11-11"), 120)
    service.land("2026-11-11", (1, "north", 7.25))

    totals = wait_for(lambda: "7.25" in str(service.rows("sales_totals", "2026-11-11")), 120)

    assert totals
    assert [str(amount) for _, _, amount in service.rows("sales", "2026-11-11")] == ["7.25"]


def test_a_backfill_of_a_week_succeeds(service: Service) -> None:
    for number, day in enumerate(WEEK):
        service.land(day, (number, "south", 1.0))
    assets = [{"path": [zone, "sales"]} for zone in ("raw", "processed", "quarantine", "tables")]

    launched = service.ask(LAUNCH, params={"assetSelection": assets, "partitionNames": WEEK})["launchPartitionBackfill"]
    status = wait_for(lambda: ended(service, launched["backfillId"]), 240)

    assert status == "COMPLETED_SUCCESS"
    assert all(len(service.rows("sales", day)) == 1 for day in WEEK)


def statuses(service: Service) -> set[str]:
    return {run["status"] for run in service.ask(RUNS)["runsOrError"]["results"]}


def ended(service: Service, backfill: str) -> str:
    status = service.ask(BACKFILL, id=backfill)["partitionBackfillOrError"]["status"]
    return status if str(status).startswith(("COMPLETED", "FAILED", "CANCELED")) else ""


def test_nothing_is_built_twice(service: Service) -> None:
    runs = service.ask(RUNS)["runsOrError"]["results"]

    keys = [tag["value"] for run in runs for tag in run["tags"] if tag["key"] == "dagster/run_key"]

    assert len(keys) == len(set(keys))
    assert statuses(service) <= {"SUCCESS", "STARTED", "QUEUED", "STARTING", "NOT_STARTED"}


def test_a_taken_port_is_said_at_once(service: Service, tmp_path: Path) -> None:
    variables = {**os.environ, "SLUICE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", "from pipeline_assets.cli import main; main()", "up", "--port", str(service.port)]

    answer = subprocess.run(
        command, cwd=CHECKOUT, env=variables, capture_output=True, text=True, timeout=60, check=False
    )

    assert answer.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{service.port}" in answer.stderr
    assert "sluice up --port" in answer.stderr


def test_it_stops_and_leaves_no_process_behind(service: Service) -> None:
    code = service.stop()

    assert code == 0
    assert wait_for(lambda: not processes_of(service.home), 10)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", service.port)) != 0


def test_what_was_being_built_when_everything_was_killed_is_built_by_the_next_service(tmp_path: Path) -> None:
    with Service(tmp_path) as killed:
        killed.wait_until_up()
        with killed.held_before_publication():
            killed.land("2026-11-10", (1, "north", 2.5))
            at_work = wait_for(lambda: {"STARTING", "STARTED"} & statuses(killed), 120)
            kill_all(tmp_path)

    with Service(tmp_path) as following:
        told = following.wait_until_up()
        sales = wait_for(lambda: following.rows("sales", "2026-11-10"), 120)

    assert at_work
    assert "1 runs of an earlier `sluice up` had been killed" in told
    assert len(sales) == 1


def test_a_second_service_on_the_same_home_is_refused(tmp_path: Path) -> None:
    with Service(tmp_path) as first:
        first.wait_until_up()
        with Service(tmp_path) as second:
            told = second.wait_until_up()

    assert "Another `sluice up` is at work on this SLUICE_HOME" in told


def kill_all(home: Path) -> None:
    """Kill them until none is left: some end by themselves when others die, and some have just started another."""
    until = time.monotonic() + 30
    while (found := processes_of(home)) and time.monotonic() < until:
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)
