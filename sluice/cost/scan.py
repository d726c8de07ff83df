"""What a query over a published table reads, and what Athena would charge for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.cost.reference_query import table_scans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.contract import Contract
    from sluice.cost.price_book import PriceBook
    from sluice.cost.rules import ReferenceQuery

_MB = 2**20
_TB = 2**40
"""AWS bills in binary units: the least of 10 MB is 10/1,048,576 of a TB."""


@dataclass(frozen=True, slots=True)
class QueryScan:
    """One reference query: the columns it touches, the partitions it reads, their bytes and price."""

    query: ReferenceQuery
    columns: tuple[str, ...]
    partitions: int
    scanned_bytes: int
    usd: float


def scan(
    query: ReferenceQuery,
    contract: Contract,
    partition: str,
    column_bytes: Mapping[str, Mapping[str, int]],
    prices: PriceBook,
) -> QueryScan:
    """Return what the query reads when it is asked for `partition`; `column_bytes` is partition -> column -> bytes.

    The bytes are those of whole column chunks: that Athena skips row groups by their statistics is not counted on.
    """
    columns: set[str] = set()
    partitions: set[str] = set()
    scanned = 0
    for reading in table_scans(query.sql, contract.dataset, contract.columns, partition):
        read = reading.partitions(column_bytes.keys())
        scanned += sum(column_bytes[day].get(name, 0) for day in read for name in reading.columns)
        columns.update(reading.columns)
        partitions.update(read)
    touched = tuple(column.name for column in contract.columns if column.name in columns)
    return QueryScan(query, touched, len(partitions), scanned, athena_usd(scanned, prices, contract.cost.region))


def athena_usd(scanned_bytes: int, prices: PriceBook, region: str) -> float:
    """Return the price of one query: whole MB, at least 10. Raises RegionUnpriced."""
    billed = max(math.ceil(scanned_bytes / _MB), prices.sizes.athena.minimum_mb)
    return billed * _MB / _TB * prices.region(region).athena.usd_per_tb
