"""Prices by hand: 2 vCPU at 1 USD and 4 GB at 0.4 USD make 3.6 USD an hour, 0.001 USD a second."""

from __future__ import annotations

import pytest

from sluice.cost.price import price, prices_by_engine
from sluice.cost.rules import Engine
from sluice.errors import RegionUnpriced
from tests.sluice.cost.prices import BOOK

REQUESTS = 0.008 + 0.0001  # eight PUTs at 1 USD, one GET at 0.1 USD a thousand


def cost(engine: Engine, seconds: float, *, objects: int = 1, bytes_in: int = 1, bytes_out: int = 1) -> float:
    return price(engine, seconds, objects, bytes_in, bytes_out, BOOK, "us-east-1")


@pytest.mark.parametrize(
    ("engine", "seconds", "usd"),
    [
        pytest.param(Engine.FARGATE, 100, 0.1 + REQUESTS, id="fargate"),
        pytest.param(Engine.FARGATE, 2, 0.06 + REQUESTS, id="fargate bills a minute at least"),
        pytest.param(Engine.FARGATE, 60.2, 0.061 + REQUESTS, id="fargate bills whole seconds"),
        pytest.param(Engine.GLUE, 100, 1.0 + REQUESTS, id="glue"),
        pytest.param(Engine.GLUE, 2, 0.6 + REQUESTS, id="glue bills a minute at least"),
        pytest.param(Engine.LOCAL, 2, 0.0002, id="local bills what it takes and has no S3"),
        pytest.param(Engine.FARGATE, 0, 0.06 + REQUESTS, id="a run too short to be measured"),
    ],
)
def test_a_run_costs_its_time_and_its_requests(engine: Engine, seconds: float, usd: float) -> None:
    assert cost(engine, seconds) == pytest.approx(usd)


@pytest.mark.parametrize(
    ("work", "more"),
    [
        pytest.param({"objects": 11}, 0.001, id="an object is a GET"),
        pytest.param({"bytes_in": 11 * 2**23}, 0.001, id="a large object is read in parts"),
        pytest.param({"bytes_out": 10 * 2**23}, 0.01, id="a large file is written in parts"),
    ],
)
def test_more_and_larger_objects_are_more_requests(work: dict[str, int], more: float) -> None:
    assert cost(Engine.FARGATE, 100, **work) - cost(Engine.FARGATE, 100) == pytest.approx(more)


def test_every_engine_has_a_price_for_the_same_work() -> None:
    found = prices_by_engine(100, 1, 1, 1, BOOK, "us-east-1")

    assert found == {engine: cost(engine, 100) for engine in Engine}


def test_a_region_without_prices_is_refused() -> None:
    with pytest.raises(RegionUnpriced):
        price(Engine.GLUE, 1, 1, 1, 1, BOOK, "mars-1")
