"""Partitions are built again from what they have, or had, through the real command."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline_assets.cli.environment import Environment
from pipeline_assets.definitions import build_definitions, lazy_ports
from resources.clock import SystemClock
from resources.dagster_home import open_dagster
from resources.settings import Settings
from tests.pipeline_assets.cli.conftest import Command

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests" / "cases" / "datasets"
DAY, NEXT_DAY = "2026-11-03", "2026-11-04"
FIRST = '{"sale_id": 1, "shop": "north", "amount": 2.5}'
BROKEN = '{"sale_id": 2, "shop": null, "amount": 1}'
CORRECTED = '{"sale_id": 1, "shop": "north", "amount": 250}'


class Shop:
    def __init__(self, sluice: Command) -> None:
        shutil.copytree(CASES, sluice.datasets, dirs_exist_ok=True)
        self.sluice = sluice
        self.home = sluice.home

    @property
    def environment(self) -> Environment:
        return Environment(Settings(self.home, (self.sluice.datasets,)), SystemClock(), self.home)

    def path(self, day: str = DAY) -> Path:
        return self.home / f"raw/sales/date={day}/a.jsonl"

    def land(self, day: str, *lines: str) -> None:
        """Land it as `sluice land --replace` does, an hour ago."""
        file = self.home.parent / "a.jsonl"
        file.write_text("".join(f"{line}\n" for line in lines))
        done = self.sluice("land", "sales", file, "--date", day, "--replace")
        assert done.exit_code == 0, done.output
        landed = time.time() - 3600
        os.utime(self.path(day), (landed, landed))

    def amounts(self, dataset: str = "sales", column: str = "amount") -> list[float]:
        sql = f"SELECT {column}::DOUBLE AS value FROM {dataset} ORDER BY ALL"
        return [row["value"] for row in self.sluice.rows("query", sql)]

    def replay(self, *options: str) -> list[dict[str, Any]]:
        return self.sluice.rows("replay", "sales", "--from", DAY, "--to", NEXT_DAY, *options)

    def go_back(self, then: str) -> list[dict[str, Any]]:
        return self.replay("--as-of", then, "--why", "audit", "--by", "ann")

    def states(self) -> dict[tuple[str, str], str]:
        return {(item["dataset"], item["partition"]): item["state"] for item in self.sluice.rows("status")}

    def snapshots(self) -> int:
        return len(self.environment.tables._catalog.load_table(("sluice", "sales")).snapshots())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for one test after the other: tables know where their files are, so a home works in its place alone."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "datasets").mkdir()
    shop = Shop(Command(folder / "home", folder / "datasets"))
    shop.land(DAY, FIRST, BROKEN)
    shop.land(NEXT_DAY, FIRST)
    shop.sluice.rows("run")
    shutil.copytree(folder, folder.with_name("shop-as-published"))
    return folder


@pytest.fixture
def shop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Two days as they were first published, with one record in quarantine."""
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name("shop-as-published"), folder)
    monkeypatch.chdir(folder)
    return Shop(Command(folder / "home", folder / "datasets"))


@pytest.fixture
def then(shop: Shop) -> str:
    """Return when the first day was as it was; it is corrected since, and published."""
    instant = datetime.now(UTC).isoformat()
    shop.land(DAY, CORRECTED)
    shop.sluice.rows("run")
    return instant


def results(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["partition"], row["result"].partition(":")[0]) for row in rows]


def test_what_the_table_shows_is_built_again_and_found_the_same(shop: Shop) -> None:
    before = shop.snapshots()

    rows = shop.replay()

    assert results(rows) == [(DAY, "same"), (NEXT_DAY, "same")]
    counts = ("rows", "built_again", "in_quarantine", "rejected_again")
    assert [[row[name] for name in counts] for row in rows] == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert shop.snapshots() == before
    assert not list((shop.home / "scratch").glob("replay-*"))


def test_a_table_whose_rows_are_others_is_told(shop: Shop) -> None:
    environment = shop.environment
    (file,) = environment.tables.files("sales", NEXT_DAY)
    (other,) = environment.tables.files("sales", DAY)
    shutil.copyfile(other, file)  # as many rows, other ones: the date differs

    done = shop.sluice("replay", "sales", "--from", DAY, "--to", NEXT_DAY)

    assert done.exit_code == 1
    assert "differs" in done.stdout


def test_what_the_table_lacks_is_built_and_published(shop: Shop) -> None:
    shop.land(DAY, CORRECTED)

    would, _ = shop.replay("--dry-run")
    assert shop.amounts() == [2.5, 2.5]
    rows = shop.replay()

    assert would["result"] == "due: would be built and published"
    assert results(rows) == [(DAY, "published"), (NEXT_DAY, "same")]
    assert shop.amounts() == [2.5, 250]


def test_as_of_a_time_the_table_shows_what_had_arrived_then(shop: Shop, then: str) -> None:
    before = shop.snapshots()

    rows = shop.go_back(then)

    assert results(rows) == [(DAY, "published"), (NEXT_DAY, "shows it already")]
    assert shop.amounts() == [2.5, 2.5]
    assert shop.snapshots() == before + 1
    assert shop.states()["sales", DAY] == "rewound"
    (incident,) = shop.environment.ledger.incidents("sales", open_only=True)
    assert incident.evidence == f"Taken back by ann: built again from its objects as of {then}: audit"


def test_what_is_derived_follows_and_a_run_does_not_undo_it(shop: Shop, then: str) -> None:
    shop.go_back(then)

    runs = shop.sluice.rows("run")

    assert [(run["dataset"], run["partition"]) for run in runs] == [("sales_totals", DAY)]
    assert shop.amounts("sales_totals", "total") == [2.5, 2.5]
    assert shop.amounts() == [2.5, 2.5]


def test_what_arrives_later_is_published(shop: Shop, then: str) -> None:
    shop.go_back(then)
    shop.land(DAY, CORRECTED.replace("250", "260"))

    shop.sluice.rows("run")

    assert shop.amounts() == [2.5, 260]
    assert shop.environment.ledger.incidents("sales", open_only=True) == ()


def test_as_of_now_is_the_way_back(shop: Shop, then: str) -> None:
    shop.go_back(then)

    shop.go_back(datetime.now(UTC).isoformat())

    assert shop.amounts() == [2.5, 250]
    assert shop.states()["sales", DAY] == "published"
    assert shop.environment.ledger.incidents("sales", open_only=True) == ()


def test_repeating_it_changes_nothing(shop: Shop, then: str) -> None:
    shop.go_back(then)
    before = shop.snapshots()

    rows = shop.go_back(then)

    assert results(rows) == [(DAY, "shows it already"), (NEXT_DAY, "shows it already")]
    assert shop.snapshots() == before


def test_a_dry_run_as_of_a_time_changes_nothing(shop: Shop, then: str) -> None:
    rows = shop.replay("--as-of", then, "--dry-run")

    assert results(rows) == [(DAY, "would be built from what it had then"), (NEXT_DAY, "shows it already")]
    assert shop.amounts() == [2.5, 250]


def forget_what_was_staged(shop: Shop) -> None:
    for outcome in (shop.home / f"processed/sales/date={DAY}").glob("*/_outcome.json"):
        outcome.unlink()


def test_it_needs_only_the_objects(shop: Shop, then: str) -> None:
    forget_what_was_staged(shop)

    shop.go_back(then)

    assert shop.amounts() == [2.5, 2.5]


def test_objects_that_nobody_kept_are_named_and_nothing_is_changed(shop: Shop, then: str) -> None:
    forget_what_was_staged(shop)
    shutil.rmtree(shop.path().parent / "_replaced")

    dry = shop.sluice("replay", "sales", "--from", DAY, "--as-of", then, "--dry-run")
    refused = shop.sluice("replay", "sales", "--from", DAY, "--as-of", then)

    key = f"raw/sales/date={DAY}/a.jsonl"
    assert (dry.exit_code, refused.exit_code) == (1, 2)
    assert "lost" in dry.stdout
    assert f"Objects are no longer what they were then: {key}." in refused.stderr.replace("\n", " ")
    assert shop.amounts() == [2.5, 250]


def test_a_gate_keeps_out_what_was_built_again(shop: Shop, then: str) -> None:
    path = shop.sluice.datasets / "sales" / "contract.yaml"
    path.write_text(f"{path.read_text()}      gates: {{rejected_share_is_acceptable: {{limit: 0.1}}}}\n")

    refused = shop.sluice("replay", "sales", "--from", DAY, "--as-of", then)

    assert refused.exit_code == 1
    assert "rejected_share_is_acceptable does not hold" in refused.stderr
    assert shop.amounts() == [2.5, 250]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(("sales", "--from", DAY, "--as-of", "2026-11-03"), "has no zone", id="no zone"),
        pytest.param(("sales", "--from", DAY, "--as-of", "noon"), "is no instant", id="no instant"),
        pytest.param(("sales", "--from", NEXT_DAY, "--to", DAY), "is after", id="backwards"),
        pytest.param(("sales_totals", "--from", DAY), "Replay its inputs", id="derived"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_the_cure(shop: Shop, options: tuple[str, ...], said: str) -> None:
    refused = shop.sluice("replay", *options)

    assert refused.exit_code == 2
    assert said in refused.stderr.replace("\n", " ")


def test_a_time_of_which_nothing_is_remembered_leaves_the_partition_as_it_is(shop: Shop) -> None:
    rows = shop.replay("--as-of", "2026-11-01T00:00:00Z")

    assert results(rows) == [(DAY, "unknown"), (NEXT_DAY, "unknown")]
    assert shop.amounts() == [2.5, 2.5]


def test_the_dagster_job_does_the_same(shop: Shop, then: str) -> None:
    environment = shop.environment
    repository = build_definitions(environment.contracts, lazy_ports(environment)).get_repository_def()
    config = {"dataset": "sales", "first": DAY, "last": NEXT_DAY}

    with open_dagster(shop.home / "dagster") as instance:
        results = [
            repository.get_job("replay").execute_in_process(
                instance=instance, run_config={"ops": {"replay_partitions": {"config": {**config, **further}}}}
            )
            for further in ({}, {"as_of": then})
        ]

    assert [result.success for result in results] == [True, True]
    assert shop.amounts() == [2.5, 2.5]


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline_assets.cli import environment as door, replay
from resources.clock import SystemClock
from resources.settings import Settings
from tests.pipeline_assets.cli.conftest import Command

environment = door.Environment(Settings(Path(sys.argv[1]), (Path(sys.argv[2]),)), SystemClock(), Path(sys.argv[1]))
replay.open_environment = lambda: environment
name, method = sys.argv[3].split(".")
port = getattr(environment, name)
found = getattr(port, method)
def deadly(*arguments, **keywords):
    found(*arguments, **keywords)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(port, method, deadly)
replay.replay("sales", first=sys.argv[4], last=None, as_of=sys.argv[5], by="ann", why="audit")
"""


@pytest.mark.parametrize(
    "point", ["store.put", "ledger.record_verdicts", "tables.replay", "ledger.open_incident", "ledger.record"]
)
def test_killed_and_repeated_it_is_done_once(shop: Shop, then: str, point: str) -> None:
    forget_what_was_staged(shop)
    before = shop.snapshots()
    command = [sys.executable, "-c", KILLED, str(shop.home), str(shop.sluice.datasets), point, DAY, then]

    killed = subprocess.run(command, check=False, capture_output=True, cwd=ROOT)
    shop.go_back(then)

    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert shop.amounts() == [2.5, 2.5]
    assert shop.snapshots() == before + 1
    published = shop.environment.ledger.published("sales", DAY)
    assert published is not None
    assert published.outcome.published == 1
    (incident,) = shop.environment.ledger.incidents("sales", open_only=True)
    assert len(incident.remedies) == 1
