"""People are told at most once, of each kind of trouble once an hour, whatever happens to the sensor."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from resources.clock import ManualClock
from resources.notifier import AppriseNotifier, MemoryNotifier
from resources.sql_ledger import SqlLedger
from sensors.notices import build_notices_sensor
from sluice.contract import CODE_VERSION, Contract
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident, RemedyKind, RemedyTaken
from sluice.history import Attempt
from sluice.notices.rules import NotifyRules, Route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dagster._core.definitions.sensor_definition import SensorExecutionData

    from sluice.history import Published
    from sluice.notices.delivery import Delivery

NOTHING: Mapping[str, Sequence[str]] = {}
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HALF_MINUTE = timedelta(seconds=30)
HOUR = timedelta(hours=1)
SECRET = "T0KEN5ECRET"


@dataclass
class Ledger:
    """What the sensor asks a ledger, in memory."""

    opened: list[Incident] = field(default_factory=list)
    published: tuple[Published, ...] = ()
    failed: tuple[Attempt, ...] = ()
    keys: set[str] = field(default_factory=set)
    asked: int = 0

    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]:
        assert dataset is None
        assert not open_only
        return tuple(self.opened)

    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]:
        return self.published if dataset == "orders" else ()

    def ended_attempts(
        self, most: int, *, dataset: str | None = None, failure_class: FailureClass | None = None
    ) -> tuple[Attempt, ...]:
        assert most
        return tuple(
            item
            for item in self.failed
            if dataset in {None, item.dataset} and failure_class in {None, item.failure_class}
        )

    def first_notice(self, key: str, noticed_at: datetime) -> bool:
        self.asked += 1
        assert noticed_at.tzinfo is UTC
        is_first = key not in self.keys
        self.keys.add(key)
        return is_first


@dataclass
class Watch:
    """The sensor with what the daemon would keep of its ticks."""

    instance: dg.DagsterInstance
    contracts: dict[str, Contract]
    ledger: Ledger = field(default_factory=Ledger)
    notifier: MemoryNotifier | AppriseNotifier = field(default_factory=MemoryNotifier)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    cursor: str | None = None
    real_ledger: SqlLedger | None = None

    def tick(self) -> SensorExecutionData:
        sensor = build_notices_sensor(self.contracts)
        repository = dg.Definitions(sensors=[sensor]).get_repository_def()
        resources = {"ledger": self.real_ledger or self.ledger, "notifier": self.notifier, "clock": self.clock}
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, repository_def=repository, resources=resources
        ) as context:
            tick = repository.get_sensor_def("notices").evaluate_tick(context)
        self.cursor = tick.cursor
        return tick

    def titles(self) -> list[str]:
        """Tick once and return what was sent by it."""
        assert isinstance(self.notifier, MemoryNotifier)
        before = len(self.notifier.sent)
        self.tick()
        return [title for _, title, _ in self.notifier.sent[before:]]

    def fail(self, count: int, failure_class: FailureClass = FailureClass.QUALITY) -> None:
        first = len(self.ledger.opened) + 1
        self.ledger.opened += [
            incident(number, self.clock.now(), failure_class) for number in range(first, first + count)
        ]


def incident(number: int, at: datetime, failure_class: FailureClass) -> Incident:
    partition = (date(2024, 1, 1) + timedelta(days=number)).isoformat()
    return Incident(number, "orders", partition, "v1", failure_class, at, at, "12 % rejected.", "run-1")


@pytest.fixture
def watch() -> Iterator[Watch]:
    rules = NotifyRules((Route("OPS"),))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watch(instance, {"orders": Contract("orders", "1.0.0", (), notify=rules)})


def test_an_incident_is_told_once_at_each_event(watch: Watch) -> None:
    watch.fail(1)
    opened, again = watch.titles(), watch.titles()
    watch.ledger.opened[0] = replace(
        watch.ledger.opened[0], remedies=(RemedyTaken(RemedyKind.ESCALATE, NOON, "three tries"),)
    )
    escalated = watch.titles()
    watch.ledger.opened[0] = replace(watch.ledger.opened[0], resolved_at=NOON + HALF_MINUTE, resolved_by="ann")

    assert (opened, again) == (["orders 2024-01-02 failed: quality"], [])
    assert escalated == ["orders 2024-01-02 needs a person: quality"]
    assert watch.titles() == ["orders 2024-01-02 is right again: quality"]
    assert watch.titles() == []


def test_five_hundred_partitions_that_fail_alike_are_one_notice(watch: Watch) -> None:
    watch.fail(500)

    assert watch.titles() == ["orders: 500 partitions failed: quality"]
    assert watch.titles() == []


def test_those_that_fail_while_a_notice_is_fresh_wait_for_the_next_hour(watch: Watch) -> None:
    watch.fail(3)
    first = watch.titles()
    watch.clock.instant += HALF_MINUTE
    watch.fail(497)
    soon = watch.titles()
    watch.clock.instant = NOON + HOUR

    assert first == ["orders: 3 partitions failed: quality"]
    assert soon == []
    assert watch.titles() == ["orders: 497 partitions failed: quality"]
    assert watch.titles() == []


def test_another_class_does_not_wait(watch: Watch) -> None:
    watch.fail(1)
    watch.tick()
    watch.fail(1, FailureClass.PERMISSION)

    assert watch.titles() == ["orders 2024-01-03 failed: permission"]


@pytest.mark.parametrize("cursor", [None, "not JSON"], ids=["lost", "damaged"])
def test_a_lost_cursor_repeats_nothing(watch: Watch, cursor: str | None) -> None:
    watch.fail(3)
    watch.tick()
    watch.cursor = cursor
    at_once = watch.titles()
    watch.cursor = cursor
    watch.clock.instant += HOUR

    assert at_once == []
    assert watch.titles() == []


def test_what_is_new_after_a_lost_cursor_is_told(watch: Watch) -> None:
    watch.fail(3)
    watch.tick()
    watch.cursor = None
    watch.clock.instant += HOUR
    watch.fail(1)

    assert watch.titles() == ["orders 2024-01-05 failed: quality"]


class Killed(BaseException):
    pass


@dataclass
class DyingNotifier(MemoryNotifier):
    """Delivers, and then the process is killed."""

    def send(self, route: str, title: str, body: str, about: Mapping[str, Sequence[str]] = NOTHING) -> Delivery:
        super().send(route, title, body, about)
        raise Killed


def test_a_tick_that_is_killed_while_it_sends_does_not_send_again(watch: Watch) -> None:
    watch.fail(1)
    watch.notifier = dying = DyingNotifier()
    with pytest.raises(Killed):
        watch.tick()
    watch.notifier = MemoryNotifier()
    watch.clock.instant += HOUR

    assert len(dying.sent) == 1
    assert watch.titles() == []


def test_what_is_not_delivered_is_said_and_stops_nothing(watch: Watch, capfd: pytest.CaptureFixture[str]) -> None:
    watch.fail(1)
    watch.notifier = MemoryNotifier(broken={"OPS"})

    tick = watch.tick()

    logged = capfd.readouterr().err
    assert tick.skip_message == "Notices sent: 0; not delivered: 1."
    assert 'Route OPS did not deliver "orders 2024-01-02 failed: quality"' in logged
    assert "SLUICE_NOTIFY_OPS" in logged
    assert watch.titles() == []


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it
def test_no_secret_is_in_a_sensors_logs_cursor_or_message(
    watch: Watch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    watch.fail(1)
    watch.notifier = AppriseNotifier({"SLUICE_NOTIFY_OPS": f"json://127.0.0.1:1/{SECRET}"})

    with caplog.at_level(logging.DEBUG):
        tick = watch.tick()

    assert tick.skip_message == "Notices sent: 0; not delivered: 1."
    logged = f"{caplog.text} {capfd.readouterr()}"
    assert "did not deliver" in logged
    assert SECRET not in f"{logged} {tick}"


def test_a_tick_sends_few_notices_and_the_next_ones_the_rest(watch: Watch) -> None:
    for_each_class = [incident(number, NOON, kind) for number, kind in enumerate(FailureClass, start=1)]
    watch.ledger.opened = for_each_class

    assert [len(watch.titles()) for _ in range(4)] == [4, 4, 3, 0]


def test_a_quiet_tick_asks_the_ledger_for_no_key(watch: Watch) -> None:
    watch.fail(500)
    watch.tick()
    asked = watch.ledger.asked
    watch.tick()

    assert watch.ledger.asked == asked
    assert len(str(watch.cursor)) < 100


def test_what_ended_days_ago_is_forgotten(watch: Watch) -> None:
    watch.fail(1)
    watch.tick()
    watch.ledger.opened[0] = replace(watch.ledger.opened[0], resolved_at=NOON, resolved_by="sluice")
    watch.tick()
    watch.clock.instant += timedelta(days=3)

    assert watch.titles() == []
    assert watch.cursor == '{"incidents": {}, "published": {}}'


def test_without_routes_there_is_nothing_to_do_and_it_says_so(watch: Watch) -> None:
    watch.fail(1)
    watch.contracts["orders"] = Contract("orders", "1.0.0", ())

    assert watch.tick().skip_message == "No contract names a route (notify)."


def test_the_sensor_looks_twice_a_minute_and_runs_by_itself(watch: Watch) -> None:
    sensor = build_notices_sensor(watch.contracts)

    assert sensor.minimum_interval_seconds == 30
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_the_real_ledger_remembers_what_was_told(watch: Watch, tmp_path: Path) -> None:
    watch.real_ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.db'}")
    for_each_day = [incident(number, NOON, FailureClass.QUALITY) for number in range(1, 21)]
    opened = [watch.real_ledger.open_incident(item) for item in for_each_day]
    watch.real_ledger.note_remedy(opened[0].number, RemedyTaken(RemedyKind.ESCALATE, NOON, "three tries"))
    first = watch.titles()
    watch.cursor = None
    watch.clock.instant += HOUR

    assert first == ["orders 2024-01-02 needs a person: quality", "orders: 19 partitions failed: quality"]
    assert watch.titles() == []


def test_what_fails_while_a_breaker_is_open_is_told_only_if_it_outlives_it(watch: Watch) -> None:
    watch.fail(6, FailureClass.CODE)
    version = f"{'f' * 16}--{CODE_VERSION}"  # the contract of these tests has no fingerprint
    later = NOON + HALF_MINUTE
    *opened_it, joined = [
        Attempt("orders", item.partition, version, 1, "run-1", NOON, NOON, "boom", FailureClass.CODE)
        for item in watch.ledger.opened
    ]
    watch.ledger.opened[-1] = replace(watch.ledger.opened[-1], detected_at=later)
    watch.ledger.failed = (replace(joined, ended_at=later), *opened_it)
    watch.clock.instant = later

    assert watch.titles() == ["orders: 5 partitions failed: code"]
    watch.clock.instant += HOUR
    assert watch.titles() == []
    watch.ledger.failed = ()
    assert watch.titles() == ["orders 2024-01-07 failed: code"]


def test_receivers_are_told_what_it_is_about(watch: Watch) -> None:
    watch.fail(2)
    watch.tick()

    assert isinstance(watch.notifier, MemoryNotifier)
    assert watch.notifier.about == [
        {"severity": ("warning",), "event": ("opened",), "dataset": ("orders",), "incident": ("1", "2")}
    ]


def test_why_a_topic_did_not_take_it_is_logged(watch: Watch, capfd: pytest.CaptureFixture[str]) -> None:
    watch.notifier = AppriseNotifier({"SLUICE_NOTIFY_OPS": "arn:aws:sns:eu-central-1:1:ops"})
    watch.fail(1)
    watch.tick()

    assert "it is not sent again. The topic arn:aws:sns:eu-central-1:1:ops is no ARN" in capfd.readouterr().err
