"""What stands in for a late partition in real Dagster runs, and how own data take its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from resources.warehouse import Warehouse
from sluice.freshness import Freshness, attainment
from sluice.gate_rules import Expected, GateRules, Metric
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind
from sluice.healing.policy import HealingPolicy, StandIn
from sluice.partition_state import State
from sluice.survey import survey
from tests.world import CONTRACTS, ORDERS, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dagster._core.execution.execute_in_process_result import ExecuteInProcessResult

    from sluice.contract import Contract
    from sluice.healing.incident import Incident
    from sluice.partition_state import PartitionStatus

BEFORE, DAY = "2026-11-17", "2026-11-18"
DEADLINE = datetime(2026, 11, 19, 7, tzinfo=UTC)
NOW = DEADLINE + timedelta(minutes=1)
OLD = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
OWN = '{"order_id": 2, "customer_id": 7, "amount": 20, "status": "paid"}'
SPARE = '{"order_id": 3, "customer_id": 7, "amount": 30, "status": "paid"}'
BAD = '{"order_id": "x", "customer_id": 7, "amount": 30, "status": "paid"}'
BACKUP = "orders-backup/date={date}/*.jsonl"


def orders(policy: StandIn | None = StandIn(), **settings: object) -> Contract:  # noqa: B008  frozen
    promise = Freshness(1, time(7), since=date(2026, 11, 17), weekdays=(1, 2))
    made = replace(ORDERS, freshness=promise, healing=HealingPolicy(stand_in=policy))
    return replace(made, **settings)  # type: ignore[arg-type]  # keywords of Contract


class Late(World):
    """Orders and customers of the day before are published; the orders of the day are a minute late."""

    def __init__(self, home: Path, instance: dg.DagsterInstance, contract: Contract) -> None:
        super().__init__(home, instance, {**CONTRACTS, "orders": contract})
        self.clock.instant = NOW

    def build_before(self) -> None:
        self.land_orders(BEFORE, OLD)
        assert self.build("orders", BEFORE).success

    def ask(self) -> list[dg.RunRequest]:
        """Evaluate the sensor that asks for stand-ins."""
        sensor = self.definitions.get_repository_def().get_sensor_def("stand_ins")
        return list(self.evaluate(sensor, None).run_requests or [])

    def watch(self) -> None:
        """Evaluate the sensor that sees missed deadlines."""
        self.evaluate(self.definitions.get_repository_def().get_sensor_def("freshness"), None)

    def stand_in(self, tags: dict[str, str] | None = None) -> ExecuteInProcessResult:
        job = self.definitions.get_repository_def().get_job("stand_in")
        tags = tags or {"sluice/dataset": "orders", "dagster/partition": DAY, "sluice/purpose": "healing"}
        return job.execute_in_process(instance=self.instance, tags=tags, raise_on_error=False)

    def heal(self) -> None:
        """As the daemon does: each sensor looks, what is asked for runs."""
        self.watch()
        for request in self.ask():
            assert self.stand_in(dict(request.tags)).success

    def own(self) -> ExecuteInProcessResult:
        self.land_orders(DAY, OWN)
        return self.build("orders", DAY)

    def shown(self, dataset: str = "orders", day: str = DAY) -> list[tuple[object, ...]]:
        """What `sluice query` shows of a day."""
        warehouse = Warehouse(self.tables, lambda _: (), self.settings.scratch)
        rows = warehouse.query(f"SELECT * FROM {dataset} WHERE partition_date = DATE '{day}' ORDER BY ALL").to_pylist()
        return [(row.get("order_id", row.get("revenue")), row.get("_sluice_status")) for row in rows]

    def properties(self, name: str) -> str | None:
        table = self.tables._fetch("orders")  # what another engine sees
        assert table is not None
        return table.properties.get(f"sluice.{name}.{DAY}")

    def state(self, dataset: str = "orders", day: str = DAY) -> PartitionStatus:
        manifests = [noticed.manifest for noticed in self.ledger.noticed_after(0)]
        found = survey(self.contracts, manifests, self.ledger.all_published(), self.ledger.last_attempt)
        return next(item for item in found if (item.dataset, item.partition) == (dataset, day))

    def incident(self, dataset: str = "orders") -> Incident:
        (incident,) = self.ledger.incidents(dataset)
        return incident

    def materialization(self, dataset: str = "orders") -> dg.AssetMaterialization:
        asked = dg.AssetRecordsFilter(asset_key=dg.AssetKey(["tables", dataset]), asset_partitions=[DAY])
        found = self.instance.fetch_materializations(asked, limit=1).records[0].asset_materialization
        assert found is not None
        return found


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Late]]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield lambda *policy, **settings: Late(tmp_path, instance, orders(*policy, **settings))


@pytest.fixture
def late(make: Callable[..., Late]) -> Late:
    world = make()
    world.build_before()
    return world


def test_the_partition_before_stands_in_flagged(late: Late) -> None:
    late.heal()

    assert late.shown() == [(1, "placeholder")]
    assert late.shown(day=BEFORE) == [(1, None)]
    assert late.properties("stand_in") == f"previous_partition {BEFORE}"
    state = late.state()
    assert (state.state, state.stand_in, state.published) == (State.PLACEHOLDER, f"previous_partition {BEFORE}", 1)
    metadata = late.materialization().metadata
    assert metadata["stand_in"].value == f"previous_partition {BEFORE}"
    assert late.ask() == []


def test_own_data_take_its_place_and_the_incident_says_reconciled(late: Late) -> None:
    late.heal()
    open_incident = late.incident()
    late.clock.instant += timedelta(hours=2)

    assert late.own().success

    assert late.shown() == [(2, None)]
    assert (late.state().state, late.state().stand_in) == (State.PUBLISHED, None)
    assert late.properties("stand_in") is None
    assert str(late.properties("reconciled")).endswith(f" previous_partition {BEFORE}")
    assert (open_incident.failure_class, open_incident.resolved_at) == (FailureClass.UPSTREAM_MISSING, None)
    assert open_incident.opened_at == DEADLINE
    incident = late.incident()
    assert [item.kind for item in incident.remedies] == [RemedyKind.USE_FALLBACK, RemedyKind.RECONCILED]
    assert incident.remedies[0].note == f"previous_partition {BEFORE} stands in: 1 row."
    assert incident.resolved_by == "sluice"
    assert late.ask() == []


@pytest.mark.long
def test_a_stand_in_is_not_in_time_and_nothing_is_learned_from_it(late: Late) -> None:
    late.heal()
    late.clock.instant += timedelta(hours=2)
    slo = attainment(late.contracts["orders"], late.ledger.first_published("orders"), late.clock.now(), 1)
    learned = late.ledger.history("orders", "2026-11-20", 10)
    late.own()
    after = attainment(late.contracts["orders"], late.ledger.first_published("orders"), late.clock.now(), 1)

    assert slo is not None
    assert [item.partition for item in slo.breached] == [DAY]
    assert [day for day, _ in learned["row_count"]] == [BEFORE]
    assert after is not None
    assert [item.partition for item in after.late] == [DAY]


def test_what_is_derived_is_flagged_too_and_follows_the_own_data(late: Late) -> None:
    late.land_customers(DAY, "7,FR")
    late.build("customers", DAY)
    late.heal()
    cursor = dg.evaluate_automation_conditions(late.definitions, late.instance, asset_selection=dg.AssetSelection.all())
    asked = {item.key.to_user_string() for item in cursor.results if not item.true_subset.is_empty}
    derived = late.build("revenue", DAY)
    flagged, state = late.shown("revenue"), late.state("revenue")
    shown = late.materialization("revenue").metadata["stand_in"].value
    settled = dg.evaluate_automation_conditions(
        late.definitions, late.instance, asset_selection=dg.AssetSelection.all(), cursor=cursor.cursor
    )
    late.own()
    again = dg.evaluate_automation_conditions(
        late.definitions, late.instance, asset_selection=dg.AssetSelection.all(), cursor=settled.cursor
    )
    rebuilt = late.build("revenue", DAY)

    assert derived.success
    assert asked == {"processed/revenue", "quarantine/revenue", "tables/revenue"}
    assert [status for _, status in flagged] == ["placeholder"]
    assert (state.state, state.stand_in) == (State.PLACEHOLDER, f"orders: previous_partition {BEFORE}")
    assert shown == f"orders: previous_partition {BEFORE}"
    assert settled.total_requested == 0
    assert again.total_requested == 3
    assert rebuilt.success
    assert [(str(total), status) for total, status in late.shown("revenue")] == [("20.00", None)]
    assert late.state("revenue").state is State.PUBLISHED


def test_a_blocked_partition_is_stood_in_for_until_it_is_accepted(make: Callable[..., Late]) -> None:
    late = make(StandIn(), gates=GateRules(metrics=(Expected(Metric("sum", "amount"), maximum=10),)))
    late.build_before()
    late.clock.instant = DEADLINE - timedelta(hours=1)
    assert not late.own().success
    late.clock.instant = NOW
    late.heal()
    shown, state, incident = late.shown(), late.state(), late.incident()
    (verdict,) = late.ledger.blocking_verdicts()
    late.ledger.accept(verdict, why="a big order", accepted_by="ann", accepted_at=late.clock.now())
    assert late.build("orders", DAY).success

    assert shown == [(1, "placeholder")]
    assert (state.state, state.stand_in) == (State.FAILED, f"previous_partition {BEFORE}")
    assert incident.failure_class is FailureClass.QUALITY
    assert late.shown() == [(2, None)]
    assert late.incident().resolved_by == "ann"
    assert late.incident().remedies[-1].kind is RemedyKind.RECONCILED


def test_files_at_the_fallback_location_stand_in(make: Callable[..., Late]) -> None:
    late = make(StandIn(BACKUP))
    late.build_before()
    late.land(f"orders-backup/date={DAY}/a.jsonl", f"{SPARE}\n{BAD}\n")
    late.heal()
    shown, state = late.shown(), late.state()
    noticed = late.tick()
    late.own()

    assert shown == [(3, "fallback")]
    assert (state.state, state.stand_in, state.published, state.quarantined) == (State.PLACEHOLDER, "fallback", 1, 1)
    assert "match no dataset's location" not in str(noticed.skip_reason)
    (spend,) = [item for item in late.ledger.spends("orders") if item.request.purpose == "healing"]
    assert late.incident().remedies[0].usd == spend.actual_usd
    assert late.shown() == [(2, None)]


@pytest.mark.long
def test_a_fallback_location_without_files_is_said_and_no_placeholder_is_used(make: Callable[..., Late]) -> None:
    late = make(StandIn(BACKUP))
    late.build_before()
    late.watch()
    asked = [late.ask(), late.ask()]
    said = [(item.kind, item.note) for item in late.incident().remedies]
    late.land(f"orders-backup/date={DAY}/a.jsonl", f"{SPARE}\n")

    assert asked == [[], []]
    assert said == [(RemedyKind.WAIT_FOR_UPSTREAM, f"Nothing stands in: there is no file for {DAY} at {BACKUP}.")]
    assert len(late.ask()) == 1


@pytest.mark.long
def test_a_fallback_of_nothing_but_bad_records_is_not_shown(make: Callable[..., Late]) -> None:
    late = make(StandIn(BACKUP))
    late.land(f"orders-backup/date={DAY}/a.jsonl", f"{BAD}\n")
    late.heal()

    assert late.tables.held("orders", DAY) is None
    assert late.incident().remedies[0].note == f"Nothing stands in: no record at {BACKUP} is valid."


def test_a_stand_in_never_replaces_own_data_that_it_races_with(late: Late) -> None:
    """Own data are published between what the job looks at and what it commits."""

    class Overtaken:
        def __getattr__(self, name: str) -> object:
            return getattr(late.tables, name)

        def publish(self, contract: Contract, outcome: object, sequence: int) -> object:
            late.ports["tables"] = late.tables
            late.__dict__.pop("definitions")
            assert late.own().success
            return late.tables.publish(contract, outcome, sequence)  # type: ignore[arg-type]

    late.ports["tables"] = Overtaken()
    late.__dict__.pop("definitions")

    assert late.stand_in().success
    assert late.shown() == [(2, None)]
    assert late.state().state is State.PUBLISHED
    published = late.ledger.published("orders", DAY)
    assert published is not None
    assert published.outcome.stand_in is None


@pytest.mark.long
def test_a_slow_stand_in_does_not_hide_own_data_in_the_ledger(late: Late) -> None:
    """Own data are published behind the stand-in's commit and before its record."""

    class Slow:
        def __getattr__(self, name: str) -> object:
            return getattr(late.tables, name)

        def publish(self, contract: Contract, outcome: object, sequence: int) -> object:
            done = late.tables.publish(contract, outcome, sequence)  # type: ignore[arg-type]
            late.ports["tables"] = late.tables
            late.__dict__.pop("definitions")
            assert late.own().success
            return done

    late.ports["tables"] = Slow()
    late.__dict__.pop("definitions")

    assert late.stand_in().success
    assert late.shown() == [(2, None)]
    published = late.ledger.published("orders", DAY)
    assert published is not None
    assert published.outcome.stand_in is None


@pytest.mark.long
def test_two_jobs_for_one_partition_publish_it_once(late: Late) -> None:
    late.stand_in()
    first = late.ledger.published("orders", DAY)
    held = late.tables.held("orders", DAY)
    late.stand_in()

    assert late.ledger.published("orders", DAY) == first
    assert late.tables.held("orders", DAY) == held


@pytest.mark.long
@pytest.mark.parametrize(
    "step",
    [
        pytest.param("publish", id="before the commit"),
        pytest.param("conclude", id="behind the commit"),
        pytest.param("record_stand_in", id="before the record"),
    ],
)
def test_a_killed_job_is_asked_for_again_and_finishes_the_work(late: Late, step: str) -> None:
    class Dies:
        def __init__(self, port: object) -> None:
            self._port = port

        def __getattr__(self, name: str) -> object:
            if name == step:
                raise KeyboardInterrupt
            return getattr(self._port, name)

    late.watch()
    (request,) = late.ask()
    late.ports |= {"tables": Dies(late.tables), "ledger": Dies(late.ledger)}
    late.__dict__.pop("definitions")
    assert not late.stand_in(dict(request.tags)).success
    late.ports |= {"tables": late.tables, "ledger": late.ledger}
    late.__dict__.pop("definitions")
    late.clock.instant = max(datetime.now(UTC), NOW) + timedelta(minutes=5)
    (again,) = late.ask()

    assert again.run_key != request.run_key
    assert late.stand_in(dict(again.tags)).success
    assert late.shown() == [(1, "placeholder")]
    assert late.state().state is State.PLACEHOLDER
    kinds = [item.kind for item in late.incident().remedies]
    assert kinds == [RemedyKind.USE_FALLBACK]


@pytest.mark.long
def test_nothing_stands_in_before_the_deadline_or_a_week_after_it(late: Late) -> None:
    late.clock.instant = DEADLINE - timedelta(minutes=1)
    early = late.ask()
    late.clock.instant = DEADLINE + timedelta(days=7, minutes=1)
    asked = [item.tags["dagster/partition"] for item in late.ask()]

    assert early == []
    assert DAY not in asked


@pytest.mark.long
def test_a_partition_stands_in_for_a_week_at_most(late: Late) -> None:
    late.clock.instant = datetime(2026, 11, 26, 7, 1, tzinfo=UTC)

    asked = [item.tags["dagster/partition"] for item in late.ask()]

    assert asked[0] == "2026-11-24"  # of the 25th, nothing of the seven days before is published
    assert DAY not in asked


@pytest.mark.long
def test_without_a_stand_in_in_the_contract_nothing_happens(make: Callable[..., Late]) -> None:
    late = make(None)
    late.build_before()
    late.heal()

    assert late.tables.held("orders", DAY) is None
    assert late.incident().remedies == ()


@pytest.mark.long
def test_a_rewind_to_before_the_own_data_shows_the_stand_in_flagged_again(late: Late) -> None:
    late.heal()
    stand_in = late.tables.held("orders", DAY)
    own = late.own()
    from sluice.rewinding import parse_point

    late.tables.rewind("orders", parse_point(own.run_id), DAY, why="bad", rewound_by="ann")
    back = late.tables.held("orders", DAY)

    assert stand_in is not None
    assert back is not None
    assert (back.version, back.stand_in) == (stand_in.version, f"previous_partition {BEFORE}")
    assert late.shown() == [(1, "placeholder")]
    assert late.properties("reconciled") is None


@pytest.mark.long
def test_tries_that_fail_are_bounded_and_a_person_is_asked(late: Late) -> None:
    late.watch()
    for path in (late.home / "processed" / "orders" / f"date={BEFORE}").rglob("*.parquet"):
        path.unlink()
    runs = 0
    late.clock.instant = max(NOW, datetime.now(UTC))
    while requests := late.ask():
        assert not late.stand_in(dict(requests[0].tags)).success
        runs += 1
        late.clock.instant += timedelta(minutes=31)

    assert runs == 8
    assert late.incident().remedies[-1].kind is RemedyKind.ESCALATE


@pytest.mark.long
def test_the_next_try_waits(late: Late) -> None:
    late.clock.instant = max(NOW, datetime.now(UTC))
    (request,) = late.ask()
    late.tables.publish = None  # type: ignore[method-assign, assignment]
    assert not late.stand_in(dict(request.tags)).success

    assert late.ask() == []
