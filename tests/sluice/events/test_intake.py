from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from resources.memory_ledger import MemoryLedger
from sluice.arrivals import RAW_ZONE, places_of, sweep_raw_zone
from sluice.contract import Column, Contract, FileFormat, Source
from sluice.datatypes import Integer
from sluice.events.intake import Intake, Taken
from sluice.events.message import Message, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
ORDERS = Contract(
    "orders",
    "1.0.0",
    (Column("id", Integer()),),
    source=Source("orders/date={date}/*.jsonl", FileFormat.JSONL),
    start=date(2026, 11, 1),
)
A, B = "raw/orders/date=2026-11-03/a.jsonl", "raw/orders/date=2026-11-03/b.jsonl"


@dataclass(frozen=True)
class Listed:
    key: str
    stamp: str
    size: int = 10
    modified_at: datetime = NOW - timedelta(seconds=0.2)  # a listing alone would wait


@dataclass
class Bucket:
    objects: dict[str, str] = field(default_factory=dict)
    listings: list[str] = field(default_factory=list)

    def list(self, prefix: str) -> Iterator[Listed]:
        self.listings.append(prefix)
        return (Listed(key, etag) for key, etag in sorted(self.objects.items()) if key.startswith(prefix))

    def etag(self, key: str, *, stamp: str | None = None) -> str | None:
        found = self.objects.get(key)
        return found if stamp in {None, found} else None


@dataclass
class Desk:
    bucket: Bucket = field(default_factory=Bucket)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    def take(self, *bodies: str) -> list[Taken]:
        intake = Intake({"orders": ORDERS}, self.bucket, self.ledger, Zone("lake"), NOW)
        return [intake.take(Message(str(number), body, f"r{number}")) for number, body in enumerate(bodies)]

    @property
    def noticed(self) -> dict[str, str]:
        latest = self.ledger.latest("orders", "2026-11-03")
        return {item.key: item.etag for item in latest.manifest.objects} if latest else {}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def created(*keys: str, name: str = "ObjectCreated:Put") -> str:
    records = [
        {"eventSource": "aws:s3", "eventName": name, "s3": {"bucket": {"name": "lake"}, "object": {"key": key}}}
        for key in keys
    ]
    return json.dumps({"Records": records})


def asked(**detail: str) -> str:
    return json.dumps({"detail-type": "sluice.run", "id": "e1", "detail": detail})


def test_an_object_is_noticed_without_waiting_for_it_to_settle(desk: Desk) -> None:
    desk.bucket.objects = {A: "v1"}

    (taken,) = desk.take(created(A))

    assert desk.noticed == {A: "v1"}
    assert not taken.reason


def test_an_event_that_comes_again_is_no_news(desk: Desk) -> None:
    desk.bucket.objects = {A: "v1"}
    desk.take(created(A))
    first = desk.ledger.latest("orders", "2026-11-03")

    desk.take(created(A), created(A))

    assert desk.ledger.latest("orders", "2026-11-03") == first


def test_what_counts_is_what_is_there_not_the_order_of_events(desk: Desk) -> None:
    """The later overwrite is told first, then the older one, then a removal that was undone long ago."""
    desk.bucket.objects = {A: "v2", B: "v1"}

    desk.take(created(A), created(A), created(B, name="ObjectRemoved:Delete"))

    assert desk.noticed == {A: "v2", B: "v1"}


def test_an_object_that_is_gone_already_is_no_error(desk: Desk) -> None:
    desk.bucket.objects = {B: "v1"}

    gone, there = desk.take(created(A), created(B))

    assert (gone.reason, there.reason) == ("", "")
    assert desk.noticed == {B: "v1"}


def test_a_partition_is_looked_at_once_for_all_messages_of_a_receipt(desk: Desk) -> None:
    desk.bucket.objects = {A: "v1", B: "v1"}

    desk.take(created(A), created(B), created(A, B))

    assert len(desk.bucket.listings) == 1


def test_a_listing_after_the_events_finds_nothing_new(desk: Desk) -> None:
    desk.bucket.objects = {A: "v1", B: "v1"}
    desk.take(created(A, B))

    swept = sweep_raw_zone([ORDERS], desk.bucket, desk.ledger, NOW + timedelta(minutes=15))

    assert swept.noticed == ()


def test_a_listing_finds_what_no_event_told(desk: Desk) -> None:
    desk.bucket.objects = {A: "v1", B: "v1"}
    desk.take(created(A))
    desk.bucket.objects[B] = "v2"

    sweep_raw_zone([ORDERS], desk.bucket, desk.ledger, NOW + timedelta(minutes=15))

    assert desk.noticed == {A: "v1", B: "v2"}


def test_a_key_of_no_dataset_is_a_stray_and_no_dead_letter(desk: Desk) -> None:
    (taken,) = desk.take(created("raw/ordres/a.jsonl"))

    assert taken.strays == ("raw/ordres/a.jsonl",)
    assert not taken.reason


@pytest.mark.parametrize("day", ["2026-10-31", "2026-11-06"], ids=["before the start", "after today"])
def test_a_partition_out_of_range_is_left_to_the_listing_of_its_day(desk: Desk, day: str) -> None:
    key = f"raw/orders/date={day}/a.jsonl"
    desk.bucket.objects = {key: "v1"}

    (taken,) = desk.take(created(key))

    assert taken == Taken(taken.message)
    assert desk.ledger.latest("orders", day) is None


def test_a_run_that_can_be_done_is_wanted(desk: Desk) -> None:
    (taken,) = desk.take(asked(dataset="orders", partition="2026-11-03"))

    assert [(run.id, run.dataset, run.partition) for run in taken.runs] == [("e1", "orders", "2026-11-03")]


@pytest.mark.parametrize(
    ("detail", "says"),
    [
        ({"dataset": "ordres", "partition": "2026-11-03"}, "'ordres', which no contract declares"),
        ({"dataset": "orders", "partition": "3 November"}, "'3 November', which is no date"),
        ({"dataset": "orders", "partition": "20261103"}, "'20261103', which is no date"),
        ({"dataset": "orders", "partition": "2026-10-31"}, "before the start of orders or after today"),
        ({"dataset": "orders", "partition": "2026-11-06"}, "before the start of orders or after today"),
    ],
    ids=["dataset", "words", "no dashes", "too early", "tomorrow"],
)
def test_a_run_that_cannot_be_done_has_a_reason(desk: Desk, detail: dict[str, str], says: str) -> None:
    (taken,) = desk.take(asked(**detail))

    assert says in taken.reason
    assert taken.runs == ()


def test_what_is_understood_of_a_message_with_a_problem_is_noticed(desk: Desk) -> None:
    desk.bucket.objects = {A: "v1"}
    body = json.loads(created(A))
    body["Records"].append({"eventSource": "aws:sns"})

    (taken,) = desk.take(json.dumps(body))

    assert taken.reason == "The message has a record of 'aws:sns', not of aws:s3."
    assert desk.noticed == {A: "v1"}


def test_an_object_may_belong_to_two_datasets() -> None:
    other = replace(ORDERS, dataset="orders_again")

    found = places_of(A.removeprefix(RAW_ZONE), [ORDERS, other])

    assert found.places == (("orders", "2026-11-03"), ("orders_again", "2026-11-03"))
