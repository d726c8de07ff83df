"""How much the demo lands on which day, and so what every partition must come to: arithmetic, nothing is generated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

DAYS = tuple(date(2026, 11, 1) + timedelta(days=number) for number in range(7))
DATASETS = ("orders", "customers", "payments")

BAD_EVERY, BAD_AT = 200, 3
"""Every 200th record is broken, the third first."""

AGAIN_EVERY, AGAIN_AT = 200, 107
"""Every 200th record is sent a second time under its key; it is never a broken one."""

ORDER_FILES, PAYMENT_FILES, PAID_EVERY = 6, 3, 6
LATE_DAY, LATE_FILE = DAYS[2], 3
TRUNCATED_DAY, TRUNCATED_FILE = DAYS[4], 1

_ORDERS_BY_WEEKDAY = (27_600, 27_000, 27_900, 30_000, 33_000, 33_600, 30_900)  # Monday first
_FIRST_ORDER = 1_000_000
_CUSTOMERS, _NEW_CUSTOMERS = 8_000, 12


@dataclass(frozen=True, slots=True)
class Expected:
    """What building one demo partition must come to."""

    records_in: int
    quarantined: int
    duplicates: int

    @property
    def published(self) -> int:
        return self.records_in - self.quarantined - self.duplicates


@dataclass(frozen=True, slots=True)
class Volume:
    """How many orders and customers the shop has on one day; order numbers run on from day to day."""

    day: date
    orders: int
    first_order: int
    customers: int

    @property
    def payments(self) -> int:
        return len(range(0, self.orders, PAID_EVERY))


def volume(day: date) -> Volume:
    """Return the volume of one of DAYS."""
    before = DAYS[: DAYS.index(day)]
    first_order = _FIRST_ORDER + sum(_ORDERS_BY_WEEKDAY[earlier.weekday()] for earlier in before)
    return Volume(day, _ORDERS_BY_WEEKDAY[day.weekday()], first_order, _CUSTOMERS + _NEW_CUSTOMERS * len(before))


def expected(dataset: str, partition: str, *, late: bool = False, repaired: bool = False) -> Expected:
    """Return what a partition must come to, before or after the late object, before or after the repaired one."""
    shop = volume(date.fromisoformat(partition))
    match dataset:
        case "orders":
            whole = _expected_of(range(shop.orders))
            return whole if late or shop.day != LATE_DAY else _without_late_file(whole, shop)
        case "payments":
            whole = _expected_of(range(shop.payments))
            return whole if repaired or shop.day != TRUNCATED_DAY else _with_truncated_file(whole, shop)
        case "customers":
            return _expected_of(range(1, shop.customers + 1))
        case _:
            raise KeyError(dataset)


def _expected_of(records: range) -> Expected:
    bad, again = _count(records, BAD_EVERY, BAD_AT), _count(records, AGAIN_EVERY, AGAIN_AT)
    return Expected(len(records) + again, bad, again)


def _without_late_file(whole: Expected, shop: Volume) -> Expected:
    # What is sent again comes in the last file: without its first copy it is no duplicate.
    records = _file_range(shop.orders, ORDER_FILES, LATE_FILE)
    late = _expected_of(records)
    return Expected(
        whole.records_in - len(records), whole.quarantined - late.quarantined, whole.duplicates - late.duplicates
    )


def _with_truncated_file(whole: Expected, shop: Volume) -> Expected:
    # Second copies are in the file of the first, and a file that cannot be read to its end counts as one record.
    lost = _expected_of(_file_range(shop.payments, PAYMENT_FILES, TRUNCATED_FILE))
    return Expected(
        whole.records_in - lost.records_in + 1,
        whole.quarantined - lost.quarantined + 1,
        whole.duplicates - lost.duplicates,
    )


def _file_range(records: int, files: int, file: int) -> range:
    return range(-(-file * records // files), -(-(file + 1) * records // files))


def _count(records: range, every: int, at: int) -> int:
    return sum(1 for number in records if number % every == at)
