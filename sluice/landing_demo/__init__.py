"""The landing zone of the demo: a small web shop's files over seven days, with the defects real files have.

Orders come as six gzipped JSON Lines files a day, customers as one nightly CSV snapshot, payments as three gzipped CSV
files a day. Equal seeds give equal bytes.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import duckdb
from isal import igzip

from sluice.landing_demo.volumes import (
    AGAIN_AT,
    AGAIN_EVERY,
    BAD_AT,
    BAD_EVERY,
    DATASETS,
    DAYS,
    LATE_DAY,
    LATE_FILE,
    ORDER_FILES,
    PAID_EVERY,
    PAYMENT_FILES,
    TRUNCATED_DAY,
    TRUNCATED_FILE,
    Expected,
    Volume,
    expected,
    volume,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

__all__ = [
    "DATASETS",
    "DAYS",
    "DemoObject",
    "Expected",
    "expected",
    "landing_objects",
    "late_objects",
    "repaired_objects",
]

SEED = 7
_BROKEN = {"bad_every": BAD_EVERY, "bad_at": BAD_AT, "again_every": AGAIN_EVERY, "again_at": AGAIN_AT}
_CUSTOMER_HEADER = "customer_id,name,email,country,segment,signed_up_on,credit_limit,note"
_PAYMENT_HEADER = "payment_id,order_id,paid_at,method,amount,fee,fraud_flag"


@dataclass(frozen=True, slots=True)
class DemoObject:
    """One file to land; `key` is relative to the raw zone."""

    dataset: str
    partition: str
    key: str
    body: bytes


def landing_objects(seed: int = SEED) -> Iterator[DemoObject]:
    """Yield what lands first, day by day: everything but the late object; the object cut off in transfer is cut off."""
    with closing(_connect(seed)) as connection:
        for day in DAYS:
            yield from _day_objects(connection, volume(day))


def late_objects(seed: int = SEED) -> Iterator[DemoObject]:
    """Yield the orders of 2026-11-03 that arrive days after the others."""
    with closing(_connect(seed)) as connection:
        yield from (item for number, item in _orders(connection, volume(LATE_DAY)) if number == LATE_FILE)


def repaired_objects(seed: int = SEED) -> Iterator[DemoObject]:
    """Yield the payments of 2026-11-05 that were cut off, whole this time, under the key they had."""
    shop = volume(TRUNCATED_DAY)
    with closing(_connect(seed)) as connection:
        _generate_orders(connection, shop)
        yield from (item for number, item in _payments(connection, shop) if number == TRUNCATED_FILE)


def _connect(seed: int) -> DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET VARIABLE seed = ?", [seed])
    connection.execute(_sql("words"))
    return connection


def _sql(name: str) -> str:
    return files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")


def _day_objects(connection: DuckDBPyConnection, shop: Volume) -> Iterator[DemoObject]:
    yield _customers(connection, shop)
    for number, item in _orders(connection, shop):
        if (shop.day, number) != (LATE_DAY, LATE_FILE):
            yield item
    for number, item in _payments(connection, shop):
        yield _cut_off(item) if (shop.day, number) == (TRUNCATED_DAY, TRUNCATED_FILE) else item


def _customers(connection: DuckDBPyConnection, shop: Volume) -> DemoObject:
    parameters = {"day": shop.day, "customers": shop.customers, **_BROKEN}
    ((body,),) = connection.execute(_sql("customers"), parameters).fetchall()
    key = f"customers/{shop.day:%Y/%m/%d}/customers.csv"
    return DemoObject("customers", shop.day.isoformat(), key, f"{_CUSTOMER_HEADER}\n{body}\n".encode())


def _orders(connection: DuckDBPyConnection, shop: Volume) -> Iterator[tuple[int, DemoObject]]:
    _generate_orders(connection, shop)
    lines = "SELECT file, string_agg(line, chr(10) ORDER BY again, i) FROM orders GROUP BY file ORDER BY file"
    for number, body in connection.execute(lines).fetchall():
        key = f"orders/date={shop.day}/orders-{number + 1}.jsonl.gz"
        yield number, DemoObject("orders", shop.day.isoformat(), key, _gzip(f"{body}\n"))


def _generate_orders(connection: DuckDBPyConnection, shop: Volume) -> None:
    sizes = {"orders": shop.orders, "first_order": shop.first_order, "customers": shop.customers, "files": ORDER_FILES}
    connection.execute(_sql("orders"), {"day": shop.day, **sizes, **_BROKEN})


def _payments(connection: DuckDBPyConnection, shop: Volume) -> Iterator[tuple[int, DemoObject]]:
    sizes = {"payments": shop.payments, "files": PAYMENT_FILES, "paid_every": PAID_EVERY}
    for number, body in connection.execute(_sql("payments"), {**sizes, **_BROKEN}).fetchall():
        key = f"payments/date={shop.day}/payments-{number + 1}.csv.gz"
        yield number, DemoObject("payments", shop.day.isoformat(), key, _gzip(f"{_PAYMENT_HEADER}\n{body}\n"))


def _gzip(text: str) -> bytes:
    return igzip.compress(text.encode(), 1, mtime=0)


def _cut_off(item: DemoObject) -> DemoObject:
    return DemoObject(item.dataset, item.partition, item.key, item.body[: len(item.body) * 2 // 3])
