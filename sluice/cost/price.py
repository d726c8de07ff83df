"""What a run costs on each engine, as AWS would bill it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from sluice.cost.rules import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.cost.price_book import PriceBook, S3Prices

_HOUR = 3600
_PART_BYTES = 8 * 2**20
"""Clients read and write large objects in parts, each a request; this is boto3's and s3fs's usual order of size."""

_FIXED_PUTS = 8
"""Data file, quarantine file, outcome, profile, and the commit: manifest, manifest list, metadata, and one to spare."""

_NANO = 9  # digits: the ledger counts in billionths of a dollar


def price(
    engine: Engine, seconds: float, objects: int, bytes_in: int, bytes_out: int, prices: PriceBook, region: str
) -> float:
    """Return the dollars of one run: the engine's time, at least its billed minimum, and the requests to S3.

    A run too short to be measured is billed the minimum, too; what was not run is not priced. Raises RegionUnpriced.
    """
    requests = 0.0 if engine is Engine.LOCAL else _requests(objects, bytes_in, bytes_out, prices.region(region).s3)
    return round(_compute(engine, seconds, prices, region) + requests, _NANO)


def prices_by_engine(
    seconds: float, objects: int, bytes_in: int, bytes_out: int, prices: PriceBook, region: str
) -> Mapping[Engine, float]:
    """Return what the same work would cost on each engine, taking the same time on each."""
    return {engine: price(engine, seconds, objects, bytes_in, bytes_out, prices, region) for engine in Engine}


def _compute(engine: Engine, seconds: float, prices: PriceBook, region: str) -> float:
    sizes = prices.sizes
    match engine:
        case Engine.LOCAL:
            return sizes.local.usd_per_hour * seconds / _HOUR
        case Engine.FARGATE:
            rates, size = prices.region(region).fargate, sizes.fargate
            hourly = size.vcpu * rates.usd_per_vcpu_hour + size.gb * rates.usd_per_gb_hour
            return hourly * _billed(seconds, size.minimum_seconds) / _HOUR
        case Engine.GLUE:
            hourly = sizes.glue.dpu * prices.region(region).glue.usd_per_dpu_hour
            return hourly * _billed(seconds, sizes.glue.minimum_seconds) / _HOUR
        case _:
            assert_never(engine)


def _billed(seconds: float, minimum: float) -> float:
    return max(math.ceil(seconds), minimum)  # both services bill whole seconds


def _requests(objects: int, bytes_in: int, bytes_out: int, s3: S3Prices) -> float:
    gets = max(objects, math.ceil(bytes_in / _PART_BYTES))
    puts = _FIXED_PUTS + bytes_out // _PART_BYTES
    return (gets * s3.usd_per_1000_get + puts * s3.usd_per_1000_put) / 1000
