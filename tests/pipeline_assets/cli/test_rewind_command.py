"""A bad file is published and taken back, through the real command: run, rewind, status, run."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from pipeline_assets.cli.environment import Environment
from pipeline_assets.rewind_record import report_rewound
from resources.clock import SystemClock
from resources.dagster_home import open_dagster
from resources.settings import Settings
from resources.sql_ledger import SqlLedger
from sluice.errors import RewindRefused
from sluice.healing.incident import RemedyKind
from sluice.publishing import Effect
from sluice.rewinding import AtSnapshot

if TYPE_CHECKING:
    from tests.pipeline_assets.cli.conftest import Command
    from tests.world import World

pytestmark = pytest.mark.long

EVERYTHING = dg.AssetSelection.all()
CASES = Path(__file__).parents[2] / "cases" / "datasets"
DAY, NEXT_DAY = "2026-11-03", "2026-11-04"
GOOD = '{"sale_id": 1, "shop": "north", "amount": 2.5}\n'
BAD = '{"sale_id": 1, "shop": "north", "amount": 250}\n'
CORRECTED = '{"sale_id": 1, "shop": "north", "amount": 2.75}\n'
GOOD_ORDER = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
BAD_ORDER = '{"order_id": 1, "customer_id": 7, "amount": 950, "status": "paid"}'
ORDERS_TABLE = dg.AssetKey(["tables", "orders"])


class Shop:
    def __init__(self, sluice: Command) -> None:
        shutil.copytree(CASES, sluice.datasets, dirs_exist_ok=True)
        self.sluice = sluice
        self.home = sluice.home

    @property
    def environment(self) -> Environment:
        return Environment(Settings(self.home, (self.sluice.datasets,)), SystemClock(), self.home)

    def land(self, day: str, text: str) -> None:
        path = self.home / f"raw/sales/date={day}/a.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        landed = time.time() - 3600
        os.utime(path, (landed, landed))

    def run(self) -> list[tuple[str, str, str]]:
        return [(item["dataset"], item["partition"], item["effect"]) for item in self.sluice.rows("run")]

    def total(self, dataset: str = "sales", column: str = "amount") -> float | None:
        (row,) = self.sluice.rows("query", f"SELECT sum({column})::DOUBLE AS total FROM {dataset}")
        total: float | None = row["total"]
        return total

    def states(self) -> dict[tuple[str, str], str]:
        return {(item["dataset"], item["partition"]): item["state"] for item in self.sluice.rows("status")}

    def newest(self, dataset: str = "sales") -> int:
        held = self.environment.tables.held(dataset, DAY)
        assert held is not None
        return held.snapshot_id


@pytest.fixture
def shop(sluice: Command) -> Shop:
    """A day that was published well, with the totals that are derived from it, and then badly."""
    shop = Shop(sluice)
    shop.land(DAY, GOOD)
    shop.run()
    return shop


@pytest.fixture
def good(shop: Shop) -> int:
    """Return the snapshot of the good version; the bad one is published since."""
    snapshot = shop.newest()
    shop.land(DAY, BAD)
    shop.run()
    return snapshot


def rewind(shop: Shop, to: object) -> str:
    done = shop.sluice("rewind", "sales", "--to", to, "--why", "prices in cents", "--by", "ann")
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_table_shows_the_good_version_and_the_command_says_how_to_undo_it(shop: Shop, good: int) -> None:
    bad = shop.newest()

    said = rewind(shop, good)

    assert shop.total() == 2.5
    assert f"sluice rewind sales --to {bad} --partition {DAY}" in said
    assert f"To be built again: sales_totals {DAY}" in said


def test_run_builds_what_is_derived_and_does_not_try_what_was_taken_back(shop: Shop, good: int) -> None:
    rewind(shop, good)

    assert shop.run() == [("sales_totals", DAY, "committed")]
    assert shop.total("sales_totals", "total") == 2.5
    assert shop.run() == []
    assert shop.states() == {("sales", DAY): "rewound", ("sales_totals", DAY): "published"}


def test_a_corrected_file_is_published_and_ends_it(shop: Shop, good: int) -> None:
    rewind(shop, good)
    shop.land(DAY, CORRECTED)

    assert ("sales", DAY, "committed") in shop.run()
    assert shop.total() == 2.75
    assert set(shop.states().values()) == {"published"}


def test_the_bad_file_that_is_delivered_again_stays_out(shop: Shop, good: int) -> None:
    rewind(shop, good)
    shop.land(DAY, CORRECTED)
    shop.run()
    shop.land(DAY, BAD)

    assert shop.run() == []
    assert shop.total() == 2.75
    assert shop.states()["sales", DAY] == "rewound"


def test_a_corrected_contract_publishes_the_same_file(shop: Shop, good: int) -> None:
    rewind(shop, good)
    contract = shop.sluice.datasets / "sales/contract.yaml"
    contract.write_text(contract.read_text().replace("decimal(12,2)", "decimal(14,2)"))

    assert ("sales", DAY, "committed") in shop.run()
    assert shop.total() == 250


def test_a_rewind_can_be_undone(shop: Shop, good: int) -> None:
    bad = shop.newest()
    rewind(shop, good)
    rewind(shop, bad)

    assert shop.total() == 250
    assert shop.states()["sales", DAY] == "published"
    assert shop.run() == []
    (incident,) = shop.environment.ledger.incidents("sales")
    assert incident.resolved_by == "ann"


def test_the_incident_tells_what_was_done_and_why(shop: Shop, good: int) -> None:
    rewind(shop, good)
    rewind(shop, good)

    (incident,) = shop.environment.ledger.incidents("sales", open_only=True)
    assert incident.evidence == "Taken back by ann: prices in cents"
    assert incident.downstream == ("sales_totals",)
    assert [item.kind for item in incident.remedies] == [RemedyKind.REWIND]


def test_the_ledger_and_dagster_follow_the_table(shop: Shop, good: int) -> None:
    rewind(shop, good)

    held, recorded = shop.environment.tables.held("sales", DAY), shop.environment.ledger.published("sales", DAY)
    assert held is not None
    assert recorded is not None
    assert (recorded.outcome.version, recorded.snapshot_id) == (held.version, held.snapshot_id)
    with open_dagster(shop.environment.settings.dagster_home) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["tables", "sales"]))
        assert event is not None
        assert event.asset_materialization is not None
        assert (event.asset_materialization.tags or {})["dagster/data_version"] == str(held.version)


def test_what_a_crash_behind_the_commit_left_is_mended_by_the_same_command(shop: Shop, good: int) -> None:
    shop.environment.tables.rewind("sales", AtSnapshot(good), why="-", rewound_by="-")

    said = rewind(shop, good)

    assert "Nothing to change" in said
    assert "The ledger now says so for 1 partition." in said
    assert shop.run() == [("sales_totals", DAY, "committed")]
    assert len(shop.environment.ledger.incidents("sales", open_only=True)) == 1
    assert "The ledger" not in rewind(shop, good)


def test_a_kill_before_the_ledger_is_mended_by_the_same_command(
    shop: Shop, good: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(SqlLedger, "record", _die)
        assert isinstance(
            shop.sluice("rewind", "sales", "--to", good, "--why", "-", "--by", "ann").exception, _KilledError
        )

    rewind(shop, good)

    recorded = shop.environment.ledger.published("sales", DAY)
    assert recorded is not None
    assert recorded.snapshot_id == shop.newest()
    (incident,) = shop.environment.ledger.incidents("sales")
    assert len(incident.remedies) == 1


class _KilledError(Exception):
    pass


def _die(*_: object) -> None:
    raise _KilledError


def test_a_partition_that_was_first_published_later_is_empty_and_what_is_derived_follows(shop: Shop) -> None:
    before = shop.newest()
    shop.land(NEXT_DAY, BAD)
    shop.run()

    assert "nothing: it was not published then" in rewind(shop, before)

    assert shop.total() == 2.5
    assert shop.run() == [("sales_totals", NEXT_DAY, "committed")]
    assert shop.total("sales_totals", "total") == 2.5
    assert shop.states()["sales", NEXT_DAY] == "rewound"


def test_a_run_is_named_by_its_id(shop: Shop, good: int) -> None:
    del good
    bad = shop.environment.ledger.published("sales", DAY)
    assert bad is not None

    rewind(shop, bad.outcome.run_id[:8])

    assert shop.total() == 2.5


def test_one_partition_goes_back_alone(shop: Shop, good: int) -> None:
    shop.land(NEXT_DAY, GOOD)
    shop.run()

    done = shop.sluice("rewind", "sales", "--to", good, "--partition", DAY, "--why", "-")

    assert done.exit_code == 0
    assert shop.total() == 5
    assert shop.states()["sales", NEXT_DAY] == "published"


def test_a_dry_run_shows_everything_and_changes_nothing(shop: Shop, good: int) -> None:
    dry = shop.sluice("rewind", "sales", "--to", good, "--dry-run")
    (row,) = shop.sluice.rows("rewind", "sales", "--to", good, "--dry-run")

    assert "1 partition of sales would change; nothing was changed." in dry.stdout
    assert f"To be built again: sales_totals {DAY}" in dry.stdout
    assert (row["partition"], row["changes"], row["downstream"]) == (DAY, True, ["sales_totals"])
    assert shop.total() == 250
    assert shop.environment.ledger.incidents("sales") == ()


def test_a_run_of_what_was_taken_back_ends_well_and_changes_nothing(world: World) -> None:
    world.land_orders(DAY, GOOD_ORDER)
    world.build("orders", DAY)
    good, held = world.ledger.published("orders", DAY), world.tables.held("orders", DAY)
    assert good is not None
    assert held is not None
    world.land_orders(DAY, BAD_ORDER)
    world.build("orders", DAY)
    world.tables.rewind("orders", AtSnapshot(held.snapshot_id), why="-", rewound_by="-")
    world.ledger.record(good)

    done = world.build("orders", DAY)

    assert done.success
    (shown,) = [item for item in done.get_asset_materialization_events() if item.asset_key == ORDERS_TABLE]
    assert shown.materialization.metadata["effect"].value == Effect.REWOUND
    assert (shown.materialization.tags or {})["dagster/data_version"] == str(good.outcome.version)
    assert world.ledger.published("orders", DAY) == good


def test_the_daemon_asks_for_what_is_derived_from_what_went_back(world: World) -> None:
    world.land_orders(DAY, GOOD_ORDER)
    world.land_customers(DAY, "7,FR")
    world.build("orders", DAY)
    world.build("customers", DAY)
    before = world.ledger.published("orders", DAY)
    assert before is not None
    world.land_orders(DAY, BAD_ORDER)
    world.build("orders", DAY)
    world.build("revenue", DAY)
    tick = dg.evaluate_automation_conditions(world.definitions, world.instance, asset_selection=EVERYTHING)

    report_rewound(world.instance, before.outcome)

    next_tick = dg.evaluate_automation_conditions(
        world.definitions, world.instance, asset_selection=EVERYTHING, cursor=tick.cursor
    )
    asked = {item.key.to_user_string() for item in next_tick.results if not item.true_subset.is_empty}
    assert tick.total_requested == 0
    assert asked == {"processed/revenue", "quarantine/revenue", "tables/revenue"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("sales", "--to", "7"), "does not know a snapshot 7", id="snapshot"),
        pytest.param(("sales", "--to", "2026-11-03"), "has no zone", id="no zone"),
        pytest.param(("sale", "--to", "7"), 'Did you mean "sales"?', id="dataset"),
    ],
)
def test_what_cannot_be_gone_back_to_is_refused_with_the_cure(
    shop: Shop, arguments: tuple[str, ...], said: str
) -> None:
    refused = shop.sluice("rewind", *arguments, "--why", "-")

    assert refused.exit_code == 2
    assert said in refused.stderr.replace("\n", " ")


def test_a_rewind_needs_a_reason(shop: Shop, good: int) -> None:
    assert shop.sluice("rewind", "sales", "--to", good).exit_code == 2
    assert shop.total() == 250


def test_an_outcome_that_is_gone_refuses_the_rewind_before_the_commit(shop: Shop, good: int) -> None:
    staged = shop.environment.tables.plan_rewind("sales", AtSnapshot(good)).steps[0].target
    (shop.home / f"processed/sales/date={DAY}/{staged}/_outcome.json").unlink()

    refused = shop.sluice("--debug", "rewind", "sales", "--to", good, "--why", "-")

    assert isinstance(refused.exception, RewindRefused)
    assert shop.total() == 250
