"""A missed deadline becomes a failed check of that partition, once, without any run."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from resources.clock import ManualClock
from resources.memory_ledger import MemoryLedger
from sensors.freshness import build_freshness_sensor
from sluice.contract import Contract
from sluice.freshness import CHECK_NAME, Freshness
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dagster._core.definitions.sensor_definition import SensorExecutionData

NOON = Freshness(1, time(12))
DEADLINE = datetime(2026, 11, 4, 12, tzinfo=UTC)  # of 2026-11-03
EARLY = datetime(2026, 11, 3, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LATE = Incident(
    number=0,
    dataset="orders",
    partition="2026-11-03",
    version="",
    failure_class=FailureClass.UPSTREAM_MISSING,
    opened_at=DEADLINE,
    detected_at=DEADLINE,
    evidence="Nothing is published.",
    run_id="",
)


@dataclass
class Publications:
    """The one question that the sensor asks the ledger about publications, counted, and a real book of incidents."""

    first: dict[str, dict[str, datetime]]
    asked: Counter[str] = field(default_factory=Counter)
    book: MemoryLedger = field(default_factory=MemoryLedger)

    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]:
        return self.book.incidents(dataset, open_only=open_only)

    def open_incident(self, incident: Incident) -> Incident:
        return self.book.open_incident(incident)

    def resolve_incidents(self, dataset: str, partition: str, resolved_at: datetime, resolved_by: str) -> int:
        return self.book.resolve_incidents(dataset, partition, resolved_at, resolved_by)

    def first_published(self, dataset: str) -> Mapping[str, datetime]:
        self.asked[dataset] += 1
        return self.first.get(dataset, {})


@dataclass
class Watch:
    """The sensor over two datasets, one of which promises a time, with what the daemon would do about its ticks."""

    instance: dg.DagsterInstance
    contracts: dict[str, Contract]
    ledger: Publications
    clock: ManualClock
    cursor: str | None = None
    reports_per_tick: int = 200

    def tick(self) -> SensorExecutionData:
        sensor = build_freshness_sensor(self.contracts, reports_per_tick=self.reports_per_tick)
        repository = definitions(sensor).get_repository_def()
        resources = {"ledger": self.ledger, "clock": self.clock}
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, repository_def=repository, resources=resources
        ) as context:
            tick = repository.get_sensor_def("freshness").evaluate_tick(context)
        self.cursor = tick.cursor
        return tick

    def reported(self) -> list[tuple[str | None, bool]]:
        return [(event.partition, event.passed) for event in evaluations(self.tick())]


def evaluations(tick: SensorExecutionData) -> list[dg.AssetCheckEvaluation]:
    return [event for event in tick.asset_events if isinstance(event, dg.AssetCheckEvaluation)]


def definitions(sensor: dg.SensorDefinition) -> dg.Definitions:
    """As the tables are defined, but without a body."""
    partitions = dg.DailyPartitionsDefinition("2026-11-01")
    key = dg.AssetKey(["tables", "orders"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        check = dg.AssetCheckSpec(CHECK_NAME, asset=key, partitions_def=partitions)

    @dg.multi_asset(specs=[dg.AssetSpec(key, partitions_def=partitions)], check_specs=[check])
    def orders() -> tuple[None, None]:
        raise NotImplementedError

    return dg.Definitions(assets=[orders], sensors=[sensor])


def orders_contract(freshness: Freshness | None = NOON) -> Contract:
    return Contract("orders", "1.0.0", (), start=date(2026, 11, 1), freshness=freshness)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """2026-11-03 is missing, and is due in a minute."""
    contracts = {"orders": orders_contract(), "clicks": Contract("clicks", "1.0.0", (), start=date(2026, 11, 1))}
    ledger = Publications({"orders": {"2026-11-01": EARLY, "2026-11-02": EARLY}})
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watch(instance, contracts, ledger, ManualClock(DEADLINE - MINUTE))


def test_nothing_is_reported_before_the_deadline(watch: Watch) -> None:
    tick = watch.tick()

    assert tick.asset_events == []
    assert tick.skip_message == "Datasets that promise a time: 1; overdue partitions: 0."


def test_a_breach_is_reported_within_a_minute_of_its_deadline_though_nothing_ever_ran(watch: Watch) -> None:
    watch.clock.instant = DEADLINE + timedelta(seconds=15)

    (event,) = evaluations(watch.tick())

    assert event.asset_check_key == dg.AssetCheckKey(dg.AssetKey(["tables", "orders"]), CHECK_NAME)
    assert (event.partition, event.passed, event.severity) == ("2026-11-03", False, dg.AssetCheckSeverity.ERROR)
    assert event.description == "Nothing is published 15 s after the deadline 2026-11-04 12:00 UTC."
    assert {name: value.value for name, value in event.metadata.items()} == {
        "seconds_late": 15.0,
        "seconds_to_spare": 0.0,
        "threshold": "by D+1 12:00 UTC",
        "threshold from": "contract",
        "deadline": "2026-11-04 12:00 UTC",
        "objective": "95 %",
    }


def test_the_sensor_looks_at_least_twice_a_minute_and_runs_by_itself(watch: Watch) -> None:
    sensor = build_freshness_sensor(watch.contracts)

    assert sensor.minimum_interval_seconds == 30
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_a_reported_breach_is_what_dagster_knows_of_that_partition(watch: Watch) -> None:
    watch.clock.instant = DEADLINE + MINUTE
    (event,) = evaluations(watch.tick())

    watch.instance.report_runless_asset_event(event)  # as the daemon does with a tick's events
    (record,) = watch.instance.event_log_storage.get_asset_check_execution_history(event.asset_check_key, limit=10)

    assert (record.partition, record.status.value) == ("2026-11-03", "FAILED")
    assert watch.instance.get_runs_count() == 0


def test_a_publication_that_the_ledger_learns_of_a_moment_later_is_no_breach(watch: Watch) -> None:
    watch.clock.instant = DEADLINE + timedelta(seconds=1)
    at_once = watch.reported()
    watch.ledger.first["orders"]["2026-11-03"] = DEADLINE - timedelta(milliseconds=1)
    watch.clock.instant = DEADLINE + MINUTE

    assert at_once == []
    assert watch.reported() == []


def test_a_breach_is_reported_once(watch: Watch) -> None:
    watch.clock.instant = DEADLINE + MINUTE
    first = watch.reported()
    watch.clock.instant += MINUTE
    again = watch.tick()

    assert first == [("2026-11-03", False)]
    assert again.asset_events == []
    assert again.skip_message == "Datasets that promise a time: 1; overdue partitions: 1."


def test_each_breach_is_reported_for_itself(watch: Watch) -> None:
    watch.clock.instant = DEADLINE + MINUTE
    watch.tick()
    watch.clock.instant += timedelta(days=1)

    assert watch.reported() == [("2026-11-04", False)]


def test_publishing_an_older_date_does_not_heal_a_breach_or_hide_it(watch: Watch) -> None:
    del watch.ledger.first["orders"]["2026-11-02"]
    watch.clock.instant = DEADLINE - MINUTE
    before = watch.reported()
    watch.ledger.first["orders"]["2026-11-02"] = watch.clock.now()
    watch.clock.instant = DEADLINE + MINUTE

    assert before == [("2026-11-02", False)]
    assert watch.reported() == [("2026-11-03", False)]


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param("not JSON", id="no JSON"),
        pytest.param("{}", id="another shape"),
        pytest.param("[1]", id="no rows"),
        pytest.param('[["a"]]', id="short rows"),
        pytest.param("7", id="a number"),
    ],
)
def test_a_lost_cursor_reports_once_more(watch: Watch, cursor: str | None) -> None:
    watch.clock.instant = DEADLINE + MINUTE
    watch.tick()
    watch.cursor = cursor

    assert watch.reported() == [("2026-11-03", False)]
    assert watch.reported() == []


def test_a_moved_deadline_is_another_breach(watch: Watch) -> None:
    watch.clock.instant = DEADLINE + timedelta(hours=3)
    watch.tick()
    watch.contracts["orders"] = orders_contract(Freshness(1, time(13)))

    assert watch.reported() == [("2026-11-03", False)]


def test_the_cursor_forgets_what_is_published_or_older_than_the_window(watch: Watch) -> None:
    watch.clock.instant = DEADLINE + MINUTE
    watch.tick()
    full = watch.cursor
    watch.ledger.first["orders"]["2026-11-03"] = watch.clock.now()
    watch.tick()
    after_publication = watch.cursor
    watch.cursor = full
    del watch.ledger.first["orders"]["2026-11-03"]
    watch.clock.instant += timedelta(days=31)
    watch.tick()

    assert after_publication == "[]"
    assert "2026-11-03" in str(full)
    assert "2026-11-03" not in str(watch.cursor)


def test_the_newest_breaches_are_reported_first_and_the_rest_by_the_next_ticks(watch: Watch) -> None:
    watch.ledger.first.clear()
    watch.clock.instant = DEADLINE + MINUTE
    watch.reports_per_tick = 2

    assert watch.reported() == [("2026-11-03", False), ("2026-11-02", False)]
    assert watch.reported() == [("2026-11-01", False)]
    assert watch.reported() == []


def test_a_tick_asks_one_question_for_each_dataset_that_promises_a_time(watch: Watch) -> None:
    watch.clock.instant = DEADLINE + MINUTE
    watch.tick()

    assert watch.ledger.asked == {"orders": 1}


def test_without_promises_there_is_nothing_to_do_and_it_says_so(watch: Watch) -> None:
    watch.contracts["orders"] = orders_contract(None)

    assert watch.tick().skip_message == "No contract promises a time (slaProperties)."
    assert watch.ledger.asked == {}


def test_a_breach_opens_one_incident_that_names_its_deadline(watch: Watch) -> None:
    watch.clock.instant = DEADLINE + MINUTE
    watch.tick()
    watch.clock.instant += MINUTE
    watch.tick()

    (incident,) = watch.ledger.incidents()
    assert (incident.dataset, incident.partition, incident.failure_class) == (
        "orders",
        "2026-11-03",
        FailureClass.UPSTREAM_MISSING,
    )
    assert (incident.opened_at, incident.detected_at) == (DEADLINE, DEADLINE + MINUTE)
    assert incident.evidence == (
        "Nothing is published 1 min after the deadline 2026-11-04 12:00 UTC."
        " The contract promises orders by D+1 12:00 UTC."
    )


def test_a_partition_that_something_is_wrong_with_already_gets_no_second_incident(watch: Watch) -> None:
    known = replace(LATE, failure_class=FailureClass.QUALITY, run_id="run", version="v")
    watch.ledger.open_incident(known)
    watch.clock.instant = DEADLINE + MINUTE
    watch.tick()

    assert [item.failure_class for item in watch.ledger.incidents()] == [FailureClass.QUALITY]


def test_deadlines_that_passed_before_yesterday_open_nothing(watch: Watch) -> None:
    watch.ledger.first.clear()
    watch.clock.instant = DEADLINE + MINUTE

    assert [day for day, _ in watch.reported()] == ["2026-11-03", "2026-11-02", "2026-11-01"]
    assert [item.partition for item in watch.ledger.incidents()] == ["2026-11-03"]


@pytest.mark.parametrize(
    ("incident", "stays"),
    [
        pytest.param({}, False, id="nothing but lateness"),
        pytest.param({"run_id": "run"}, True, id="a run failed"),
        pytest.param({"failure_class": FailureClass.CODE}, True, id="another class"),
        pytest.param({"partition": "2026-11-04"}, True, id="not published"),
    ],
)
def test_an_incident_that_a_publication_has_overtaken_is_closed(
    watch: Watch,
    incident: dict[str, Any],
    stays: bool,  # noqa: FBT001
) -> None:
    watch.ledger.open_incident(replace(LATE, **incident))
    watch.ledger.first["orders"]["2026-11-03"] = DEADLINE + MINUTE
    watch.clock.instant = DEADLINE + 2 * MINUTE
    watch.tick()

    (found,) = watch.ledger.incidents()
    assert (found.resolved_at is None) == stays


def test_importing_the_sensor_does_not_load_pyarrow_or_pandas() -> None:
    program = "import sensors.freshness, sys; print([name for name in ('pyarrow', 'pandas') if name in sys.modules])"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


def test_at_each_tick_the_lag_is_measured_if_anybody_wants_it(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    watch.tick()
    caplog.set_level(logging.INFO, logger="sluice.metrics")
    watch.tick()
    watch.clock.instant = DEADLINE + timedelta(seconds=15)
    watch.tick()

    found = [item.measured for item in caplog.records if item.name == "sluice.metrics"]  # type: ignore[attr-defined]
    assert [(item.dataset, [metric.value for metric in item.metrics]) for item in found] == [
        ("orders", [0, 0]),
        ("orders", [15, 1]),
    ]
