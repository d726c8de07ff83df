"""A dataset whose source is an API, from the answer to the table, in real Dagster runs against a real server."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from resources.http_source import HttpSource
from sluice.contract import CODE_VERSION, Column, FileFormat, Source
from sluice.datatypes import Integer, Text
from sluice.healing.failure import FailureClass
from sluice.pulling.note import note_key, pages_pattern, read_note
from sluice.pulling.pull import LinkHeader, Pull
from sluice.pulling.schedule import is_pull
from sluice.version import Version
from tests.http_server import Reply, Site, serving
from tests.world import World, contract

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dagster._core.execution.execute_in_process_result import ExecuteInProcessResult

    from sluice.contract import Contract

ROWS = [(1, "paid"), (2, "cancelled"), (3, "paid")]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        found.answer = two_pages
        yield found


def two_pages(path: str) -> Reply:
    return page(ROWS[2:]) if "page=2" in path else page(ROWS[:2], Link='</orders?page=2>; rel="next"')


def page(rows: Sequence[tuple[int, str]], **headers: str) -> Reply:
    records = [{"order_id": number, "status": status} for number, status in rows]
    return Reply(json.dumps({"items": records}).encode(), headers=headers)


def orders_of(site: Site, **settings: object) -> Contract:
    pull = Pull(f"{site.url}/orders?day={{date}}", "items", LinkHeader(), every=timedelta(hours=24))
    pull = replace(pull, **settings)  # type: ignore[arg-type]  # keywords of Pull
    return contract(
        "api_orders",
        Column("order_id", Integer(), required=True),
        Column("status", Text()),
        source=Source(pages_pattern("api_orders", FileFormat.JSON), FileFormat.JSON, pull=pull),
        primary_key=("order_id",),
        start=date(2026, 1, 1),
    )


class Shop:
    """The world with one dataset that is pulled; `day` is yesterday, for the server knows no other."""

    def __init__(self, home: Path, instance: dg.DagsterInstance, orders: Contract) -> None:
        self.world = World(home, instance, {"api_orders": orders})
        self.world.ports["sources"] = HttpSource({}, sleep=lambda _: None)
        self.day = (self.world.clock.now().date() - timedelta(days=1)).isoformat()

    def ask(self, sensor: str) -> list[dg.RunRequest]:
        found = self.world.definitions.get_repository_def().get_sensor_def(sensor)
        return list(self.world.evaluate(found, None).run_requests or ())

    def run(self, request: dg.RunRequest) -> ExecuteInProcessResult:
        job = self.world.definitions.get_repository_def().get_job("build_api_orders")
        return job.execute_in_process(
            instance=self.world.instance, partition_key=request.partition_key, tags=request.tags, raise_on_error=False
        )

    def wait(self, span: timedelta) -> None:
        self.world.clock.instant += span

    def build(self, *selection: str) -> ExecuteInProcessResult:
        return self.world.build("api_orders", self.day, *selection)

    def build_with(self, store: KilledAt) -> None:
        self.world.ports["store"] = store
        self.world.__dict__.pop("definitions", None)
        assert not self.build().success
        self.world.ports["store"] = self.world.store
        self.world.__dict__.pop("definitions", None)

    def rows(self) -> list[tuple[object, ...]]:
        return self.world.rows("api_orders", self.day)

    @property
    def pages(self) -> Mapping[str, float]:
        folder = self.world.settings.raw / f"api_orders/date={self.day}"
        return {path.name: path.stat().st_mtime_ns for path in sorted(folder.glob("page-*"))}


@pytest.fixture
def shop(site: Site, tmp_path: Path) -> Iterator[Shop]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Shop(tmp_path, instance, orders_of(site, days=1, every=None))


def test_a_day_is_pulled_and_published(shop: Shop) -> None:
    assert shop.build().success

    assert shop.rows() == ROWS
    assert list(shop.pages) == ["page-00001.json.gz", "page-00002.json.gz"]
    pulled, built = list(shop.world.ledger.ended_attempts(10))[::-1]
    assert is_pull(pulled.version)
    assert not is_pull(built.version)
    assert pulled.error is None
    assert built.error is None


def test_the_same_answer_is_no_news(shop: Shop, site: Site) -> None:
    shop.build()
    published, before = shop.world.ledger.published("api_orders", shop.day), shop.pages

    assert shop.build().success

    assert shop.pages == before
    assert shop.world.ledger.published("api_orders", shop.day) == published
    assert len(site.asked) == 4


def test_pages_that_are_no_more_are_emptied(shop: Shop, site: Site) -> None:
    shop.build()
    site.answer = lambda _: page(ROWS[:1])

    assert shop.build().success

    assert shop.rows() == ROWS[:1]
    assert list(shop.pages) == ["page-00001.json.gz", "page-00002.json.gz"]


def test_a_rejected_record_keeps_its_bytes(shop: Shop, site: Site) -> None:
    site.answer = lambda _: Reply(b'{"items": [{"order_id": 1},\n {"order_id" :\n"x"}]}')

    assert shop.build().success

    published = shop.world.ledger.published("api_orders", shop.day)
    assert published is not None
    assert (published.outcome.published, published.outcome.quarantined) == (1, 1)


def test_a_busy_source_is_asked_again_and_the_incident_is_resolved(shop: Shop, site: Site) -> None:
    site.answer = lambda path: (
        Reply(status=429, headers={"Retry-After": "120"}) if "page=2" in path else two_pages(path)
    )
    (asked,) = shop.ask("pulls")
    assert not shop.run(asked).success
    (attempt,) = shop.world.ledger.failed_attempts()
    assert (attempt.failure_class, attempt.retry_after) == (FailureClass.UPSTREAM_UNAVAILABLE, timedelta(minutes=2))
    assert (shop.ask("pulls"), shop.ask("retries"), shop.pages) == ([], [], {})
    site.answer = two_pages

    shop.wait(timedelta(minutes=3))
    (again,) = shop.ask("retries")
    assert shop.run(again).success

    assert shop.rows() == ROWS
    assert shop.world.ledger.failed_attempts() == ()
    (incident,) = shop.world.ledger.incidents("api_orders")
    assert incident.resolved_by == "sluice"
    assert [path for path in site.paths if "day=" in path] == [f"/orders?day={shop.day}"]


def test_while_the_source_is_away_the_table_keeps_what_it_holds(shop: Shop, site: Site) -> None:
    shop.build()
    site.answer = lambda _: Reply(status=503)

    assert not shop.build().success

    assert shop.rows() == ROWS
    assert len(shop.pages) == 2


def test_a_day_is_asked_for_once_and_only_when_it_is_due(shop: Shop) -> None:
    (asked,) = shop.ask("pulls")
    assert asked.partition_key == shop.day
    assert shop.run(asked).success

    assert shop.ask("pulls") == []
    shop.wait(timedelta(days=1))
    assert [request.partition_key for request in shop.ask("pulls")] != [shop.day]


def test_what_is_not_there_yet_is_asked_for_again_in_an_hour(shop: Shop, site: Site) -> None:
    site.answer = lambda _: Reply(status=404)
    (asked,) = shop.ask("pulls")
    shop.run(asked)
    assert shop.ask("pulls") == []

    shop.wait(timedelta(hours=1, minutes=1))
    requests = [request for request in shop.ask("pulls") if request.partition_key == shop.day]

    assert [request.run_key for request in requests] != [asked.run_key]


def test_a_run_about_landed_files_does_not_ask_the_source(shop: Shop, site: Site) -> None:
    shop.build("raw/api_orders")
    asked = len(site.asked)
    shop.wait(timedelta(seconds=5))

    (request,) = shop.ask("arrivals")
    assert shop.run(request).success

    assert len(site.asked) == asked
    assert shop.rows() == ROWS


def test_what_the_pulling_run_builds_is_not_asked_for_a_second_time(shop: Shop) -> None:
    shop.build("raw/api_orders")
    shop.wait(timedelta(seconds=5))
    noticed, orders = shop.world.ledger.latest("api_orders", shop.day), shop.world.contracts["api_orders"]
    assert noticed is not None
    version = str(Version(noticed.manifest.fingerprint, orders.fingerprint, CODE_VERSION))

    attempt = shop.world.ledger.begin("api_orders", shop.day, version, "the pulling run", shop.world.clock.now())

    assert shop.ask("arrivals") == []
    shop.world.ledger.end(attempt, shop.world.clock.now(), "it failed", FailureClass.UNKNOWN)
    assert len(shop.ask("arrivals")) == 1


class KilledAt:
    """The real store, in a process that dies when it puts the object of that number."""

    def __init__(self, world: World, number: int) -> None:
        self._store = world.store
        self._left = number

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:
        self._left -= 1
        if self._left < 0:
            raise Killed(key)
        return self._store.put(key, source, only_if_absent=only_if_absent)


class Killed(BaseException):
    """No part of Sluice catches it."""


@pytest.mark.parametrize("puts", range(4), ids=["before", "after the mark", "after a page", "before the end"])
def test_a_half_landed_pull_is_never_built_and_is_finished_by_the_next_run(shop: Shop, site: Site, puts: int) -> None:
    shop.build()
    site.answer = lambda path: (
        page([(9, "paid")]) if "page=2" in path else page([(8, "paid")], Link='</orders?page=2>; rel="next"')
    )
    shop.build_with(KilledAt(shop.world, puts))
    shop.build("processed/api_orders", "quarantine/api_orders", "tables/api_orders")
    assert shop.rows() == ROWS

    assert shop.build().success

    assert shop.rows() == [(8, "paid"), (9, "paid")]
    with shop.world.store.open(note_key("api_orders", shop.day)) as opened:
        assert read_note(opened.read()).is_complete
