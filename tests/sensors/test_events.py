from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_assets.definitions import build_definitions
from resources.event_queue import HIDDEN, MemoryQueue
from sluice.errors import LedgerUnavailable, QueueMissing, StoreForbidden
from sluice.events.message import Watched, Zone
from sluice.healing.failure import FailureClass

if TYPE_CHECKING:
    import dagster as dg

    from sluice.arrivals import Noticed
    from sluice.errors import SluiceError
    from tests.world import World

DAY = "2026-11-03"
ORDER = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'
EVERY = timedelta(minutes=15)


class Street:
    """A world whose arrivals are told by events."""

    def __init__(self, world: World) -> None:
        self.world = world
        yesterday = datetime.now(UTC) - timedelta(days=1)
        world.clock.instant = yesterday.replace(hour=12)  # a new day has a listing of its own
        self.queue = MemoryQueue(world.clock)
        world.ports["queue"] = self.queue
        definitions = build_definitions(world.contracts, world.ports, watched=Watched(Zone("lake", "prod/"), EVERY))
        self.sensors = definitions.get_repository_def()
        self.cursors: dict[str, str | None] = {}

    def tick(self, name: str = "events") -> dg.SensorResult:
        tick = self.world.evaluate(self.sensors.get_sensor_def(name), self.cursors.get(name))
        self.cursors[name] = tick.cursor
        return tick

    def left(self) -> list[str]:
        """Return what comes again when everybody who may hold it is gone."""
        self.world.clock.instant += HIDDEN
        return [message.body for message in self.queue.receive()]


@pytest.fixture
def street(world: World) -> Street:
    return Street(world)


def created(*keys: str) -> str:
    records = [
        {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "lake"}, "object": {"key": f"prod/raw/{key}"}},
        }
        for key in keys
    ]
    return json.dumps({"Records": records})


def asked(dataset: str, partition: str, event_id: str = "e1") -> str:
    return json.dumps(
        {"detail-type": "sluice.run", "id": event_id, "detail": {"dataset": dataset, "partition": partition}}
    )


def runs(tick: dg.SensorResult) -> list[tuple[str | None, str | None]]:
    return [(request.job_name, request.partition_key) for request in tick.run_requests or ()]


def test_an_event_becomes_a_run_of_its_partition(street: Street) -> None:
    street.tick("arrivals")  # the listing after a start
    street.world.land_orders(DAY, ORDER)
    street.queue.send(created(f"orders/date%3D{DAY}/a.jsonl"))

    street.tick()

    assert runs(street.tick("arrivals")) == [("build_orders", DAY)]
    assert street.left() == []


def test_between_two_listings_only_events_tell(street: Street) -> None:
    street.tick("arrivals")
    street.world.land_orders(DAY, ORDER)
    street.world.clock.instant += EVERY - timedelta(seconds=1)

    before = street.tick("arrivals")
    street.world.clock.instant += timedelta(seconds=1)
    listed = street.tick("arrivals")

    assert (runs(before), runs(listed)) == ([], [("build_orders", DAY)])


def test_an_event_that_comes_again_asks_for_nothing(street: Street) -> None:
    street.world.land_orders(DAY, ORDER)
    street.queue.send(created(f"orders/date={DAY}/a.jsonl"))
    street.tick()
    street.tick("arrivals")
    street.queue.send(created(f"orders/date={DAY}/a.jsonl"))

    street.tick()

    assert runs(street.tick("arrivals")) == []


def test_what_is_not_understood_does_not_keep_the_others(street: Street) -> None:
    street.tick("arrivals")
    street.world.land_orders(DAY, ORDER)
    for body in ("poison", created(f"orders/date={DAY}/a.jsonl"), "poison too"):
        street.queue.send(body)

    street.tick()

    assert runs(street.tick("arrivals")) == [("build_orders", DAY)]
    assert street.left() == []
    assert [(letter.body, letter.reason) for letter in street.queue.dead_letters()] == [
        ("poison", "The message is no JSON: 'poison'."),
        ("poison too", "The message is no JSON: 'poison too'."),
    ]


def test_more_messages_than_one_receipt_are_taken_in_one_tick(street: Street) -> None:
    for number in range(35):
        street.world.land_orders(DAY, ORDER, name=f"f{number}")
        street.queue.send(created(f"orders/date={DAY}/f{number}.jsonl"))

    tick = street.tick()

    assert "35 messages dealt with." in str(tick.skip_reason)
    assert street.left() == []


class Failing:
    """A port that fails for one dataset."""

    def __init__(self, port: Any, dataset: str) -> None:
        self._port, self._dataset = port, dataset

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def notice(self, manifest: Any, *arguments: Any) -> Noticed:
        if manifest.dataset == self._dataset:
            raise OSError("the ledger is gone for a moment")
        noticed: Noticed = self._port.notice(manifest, *arguments)
        return noticed


def test_one_that_fails_stays_and_the_others_are_dealt_with(street: Street) -> None:
    street.tick("arrivals")
    street.world.land_orders(DAY, ORDER)
    street.world.land_customers(DAY, "7,FR")
    ledger = street.world.ledger
    orders, customers = created(f"orders/date={DAY}/a.jsonl"), created(f"customers/{DAY.replace('-', '/')}/a.csv")
    street.queue.send(orders)
    street.queue.send(customers)

    street.world.ports["ledger"] = Failing(ledger, "orders")
    with pytest.raises(ExceptionGroup, match="stay in the queue"):
        street.tick()
    street.world.ports["ledger"] = ledger

    assert runs(street.tick("arrivals")) == [("build_customers", DAY)]
    assert street.left() == [orders]


def test_a_custom_event_starts_a_run(street: Street) -> None:
    street.queue.send(asked("revenue", DAY))

    tick = street.tick()

    assert runs(tick) == [("build_revenue", DAY)]
    assert [request.run_key for request in tick.run_requests or ()] == ["event:e1"]


def test_a_message_that_asks_for_a_run_is_kept_until_dagster_has_the_run(street: Street) -> None:
    street.queue.send(asked("orders", DAY))
    killed = street.tick()
    street.cursors["events"] = None  # the tick was killed before its requests were kept

    street.world.clock.instant += HIDDEN
    again = street.tick()
    street.tick()

    assert [request.run_key for request in again.run_requests or ()] == ["event:e1"]
    assert again.run_requests == killed.run_requests
    assert street.left() == []


@pytest.mark.parametrize("cursor", ["{", "{}", "[1]", "7"], ids=["half", "object", "number", "plain"])
def test_a_cursor_that_somebody_wrote_is_no_error(street: Street, cursor: str) -> None:
    street.cursors["events"] = cursor

    assert "No message" in str(street.tick().skip_reason)


def test_a_run_of_an_unknown_dataset_is_a_dead_letter(street: Street) -> None:
    street.queue.send(asked("ordres", DAY))

    street.tick()

    (letter,) = street.queue.dead_letters()
    assert letter.reason == "The message asks for the dataset 'ordres', which no contract declares."


def test_without_a_queue_there_is_no_such_sensor(world: World) -> None:
    names = [sensor.name for sensor in world.definitions.get_repository_def().sensor_defs]

    assert "events" not in names


class Refusing:
    """A port that a person has to mend."""

    def __init__(self, error: SluiceError) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._refuse

    def _refuse(self, *_arguments: object) -> None:
        raise self.error


GONE = QueueMissing(url="https://sqs/1/in")


def test_a_queue_that_is_gone_is_one_incident_until_it_is_back(street: Street) -> None:
    street.world.ports["queue"] = Refusing(GONE)
    for _ in range(2):
        with pytest.raises(QueueMissing):
            street.tick()

    (opened,) = street.world.ledger.incidents()
    street.world.ports["queue"] = street.queue
    street.tick()
    (closed,) = street.world.ledger.incidents()

    assert (opened.dataset, opened.partition, opened.failure_class) == ("(arrivals)", "queue", FailureClass.CODE)
    assert (opened.evidence, opened.resolved_by) == (f"{GONE.message} {GONE.cure}", None)
    assert (closed.number, closed.resolved_by) == (opened.number, "sluice")


def test_an_incident_that_another_code_server_left_is_resolved(street: Street) -> None:
    street.world.ports["queue"] = Refusing(GONE)
    with pytest.raises(QueueMissing):
        street.tick()
    restarted = Street(street.world)

    restarted.tick()

    assert [incident.resolved_by for incident in street.world.ledger.incidents()] == ["sluice"]


def test_a_bucket_that_may_not_be_listed_is_an_incident(street: Street) -> None:
    forbidden = StoreForbidden(operation="ListObjectsV2", place="s3://lake/prod/raw")
    street.world.ports["store"] = Refusing(forbidden)

    with pytest.raises(StoreForbidden):
        street.tick("arrivals")

    (incident,) = street.world.ledger.incidents()
    assert (incident.partition, incident.failure_class) == ("raw", FailureClass.PERMISSION)


def test_what_the_next_tick_may_heal_is_no_incident(street: Street) -> None:
    street.world.ports["queue"] = Refusing(LedgerUnavailable(where="db", problem="it is restarted"))

    with pytest.raises(LedgerUnavailable):
        street.tick()

    assert street.world.ledger.incidents() == ()
