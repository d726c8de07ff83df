"""A store that fails where no attempt has begun yet, or gives half of an object: retried, of the right class."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_assets.incidents import Chronicle
from resources.failures import TypedFailures
from sluice.healing.failure import FailureClass
from sluice.version import NOT_READ, Version
from tests.world import ORDERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sluice.history import Attempt
    from tests.world import World

DAY = "2026-11-03"
LINE = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'


class Failing:
    """The real port, but for one method."""

    def __init__(self, port: object, method: str, instead: Callable[..., object]) -> None:
        self._port, self._method, self._instead = port, method, instead

    def __getattr__(self, name: str) -> object:
        return self._instead if name == self._method else getattr(self._port, name)


def throttled(*_: object, **__: object) -> object:
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]

    answer = {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
    raise ClientError(answer, "ListObjectsV2")


def half_of(world: World, ending: str) -> Callable[[str], Any]:
    """Open the first object whose key ends so with half of its bytes, and any other as it is."""
    cut: list[str] = []

    def open_half(key: str, *, etag: str | None = None) -> Any:
        opened = world.store.open(key, etag=etag)
        if cut or not key.endswith(ending):
            return opened
        cut.append(key)
        with opened:
            data = opened.read()
        return io.BytesIO(data[: len(data) // 2])

    return open_half


def build_with(world: World, port: str, method: str, instead: Callable[..., object], dataset: str = "orders") -> bool:
    sound = world.ports[port]
    world.ports[port] = Failing(sound, method, instead)
    world.__dict__.pop("definitions", None)
    done = world.build(dataset, DAY).success
    world.ports[port] = sound
    world.__dict__.pop("definitions", None)
    return done


def last_attempt(world: World, dataset: str = "orders") -> Attempt:
    attempt = world.ledger.last_attempt(dataset, DAY)
    assert attempt is not None
    return attempt


def test_a_listing_that_fails_is_an_attempt_that_failed(world: World) -> None:
    world.land_orders(DAY, LINE)

    assert not build_with(world, "store", "list", throttled)

    assert last_attempt(world).failure_class is FailureClass.UPSTREAM_UNAVAILABLE
    assert Version.parse(last_attempt(world).version).fingerprint == NOT_READ
    assert [item.failure_class for item in world.ledger.incidents()] == [FailureClass.UPSTREAM_UNAVAILABLE]


def test_the_next_success_resolves_it(world: World) -> None:
    world.land_orders(DAY, LINE)
    build_with(world, "store", "list", throttled)

    assert world.build("orders", DAY).success

    assert world.ledger.incidents(open_only=True) == ()
    assert world.ledger.failed_attempts() == ()


def test_a_catalog_that_is_away_before_a_derived_build_is_an_attempt_that_failed(world: World) -> None:
    world.land_orders(DAY, LINE)
    world.land_customers(DAY, "7,DE")
    assert world.build("orders", DAY).success
    assert world.build("customers", DAY).success

    assert not build_with(world, "tables", "held", throttled, "revenue")

    assert last_attempt(world, "revenue").failure_class is FailureClass.UPSTREAM_UNAVAILABLE


def test_what_fails_while_staged_files_are_judged_keeps_its_class(world: World) -> None:
    world.land_orders(DAY, LINE)

    assert not build_with(world, "ledger", "history", throttled)

    assert last_attempt(world).failure_class is FailureClass.UPSTREAM_UNAVAILABLE
    assert last_attempt(world).ended_at is not None


def test_judging_opens_no_attempt_that_nobody_would_end(world: World) -> None:
    chronicle = Chronicle(ORDERS, DAY, "run", world.ledger, world.clock, TypedFailures())

    with chronicle.failing_at(Version("f", ORDERS.fingerprint, "1")):
        pass

    assert world.ledger.last_attempt("orders", DAY) is None


@pytest.mark.parametrize(
    ("ending", "succeeds"),
    [
        pytest.param("a.jsonl", False, id="a raw object: looked at by a gate"),
        pytest.param("_outcome.json", False, id="the outcome"),
        pytest.param(".json", False, id="whatever JSON comes first"),
    ],
)
def test_half_of_an_object_is_transient(world: World, ending: str, succeeds: bool) -> None:  # noqa: FBT001
    world.land_orders(DAY, LINE)

    assert build_with(world, "store", "open", half_of(world, ending)) is succeeds

    assert last_attempt(world).failure_class is FailureClass.TRANSIENT
    assert world.build("orders", DAY).success
    assert world.ledger.incidents(open_only=True) == ()


def test_half_of_a_profile_is_measured_again(world: World) -> None:
    world.land_orders(DAY, LINE)

    assert world.build("orders", DAY, "raw/orders", "processed/orders", "quarantine/orders").success
    profiles = list(world.home.rglob("_profile-*.json"))
    assert len(profiles) == 1
    profiles[0].write_bytes(profiles[0].read_bytes()[:40])

    assert world.build("orders", DAY, "tables/orders").success
