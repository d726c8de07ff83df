"""What is to be generated, and the files it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.errors import GenerationRefused
from sluice.landing import plan_landing
from sluice.location import Location

if TYPE_CHECKING:
    from datetime import date

    from sluice.contract import Contract, Source


@dataclass(frozen=True, slots=True)
class Order:
    """Equal orders give equal bytes. Shares are of a file's rows, and every file has the same number of each kind."""

    contract: Contract
    days: tuple[date, ...]
    files: int = 1
    rows_per_file: int = 1000
    bad_share: float = 0.0
    duplicate_share: float = 0.0
    seed: int = 7

    @property
    def source(self) -> Source:
        assert self.contract.source is not None  # noqa: S101  plan_files has refused derived datasets
        return self.contract.source

    @property
    def bad(self) -> int:
        """Rows of each file that the contract rejects."""
        return round(self.rows_per_file * self.bad_share)

    @property
    def duplicates(self) -> int:
        """Rows of each file whose key a good row of the same file has."""
        return round(self.rows_per_file * self.duplicate_share)


@dataclass(frozen=True, slots=True)
class FileOrder:
    """One file of an order; `key` is relative to the raw zone, `number` counts within the day from 0."""

    order: Order
    day: date
    number: int
    key: str

    @property
    def first_record(self) -> int:
        """The number of its first row: keys are made of these numbers and so differ between files and days."""
        earlier_days = (self.day - self.order.contract.start).days
        return (earlier_days * self.order.files + self.number) * self.order.rows_per_file


def plan_files(order: Order, today: date) -> tuple[FileOrder, ...]:
    """Return the files, day by day; raises GenerationRefused, or LandingRefused for a day that cannot be landed."""
    _check(order)
    return tuple(_file(order, day, number, today) for day in order.days for number in range(order.files))


def _file(order: Order, day: date, number: int, today: date) -> FileOrder:
    stem = f"generated-{order.seed}-{number + 1:05d}"
    contract = order.contract
    name = _location(contract).file_name(day.isoformat(), stem) or f"{stem}.{order.source.format}"
    return FileOrder(order, day, number, plan_landing(contract, name, asked=day.isoformat(), today=today).key)


def _location(contract: Contract) -> Location:
    assert contract.source is not None  # noqa: S101  see Order.source
    return Location.parse(contract.source.pattern)


def _check(order: Order) -> None:
    name, contract = order.contract.dataset, order.contract
    if contract.source is None or contract.source.pull is not None:
        where = "derived by its transform.sql" if contract.source is None else "pulled from an API"
        raise GenerationRefused(f"Dataset {name} is {where}; nothing lands in it.", cure="Name a landed dataset.")
    if not order.days or order.files < 1 or order.rows_per_file < 1:
        raise GenerationRefused(
            "There is nothing to generate.", cure="Ask for at least one date, one file and one row per file."
        )
    _check_shares(order)
    if order.files > 1 and not _location(contract).has_open_name:
        raise GenerationRefused(
            f'The location "{contract.source.pattern}" has room for one file a day.', cure="Leave out --files."
        )


def _check_shares(order: Order) -> None:
    shares = (order.bad_share, order.duplicate_share)
    if any(not 0 <= share <= 1 for share in shares) or order.bad + order.duplicates > order.rows_per_file:
        raise GenerationRefused("The shares do not fit into a file.", cure="Both are from 0 to 1, together at most 1.")
    if order.duplicates and not order.contract.primary_key:
        raise GenerationRefused(
            f"Dataset {order.contract.dataset} has no primaryKey, so no record of it is a duplicate.",
            cure="Leave out --duplicate-share, or declare a key in the contract.",
        )
    if order.duplicates and order.bad + order.duplicates == order.rows_per_file:
        raise GenerationRefused(
            "Without one good row there is nothing to duplicate.", cure="Lower --duplicate-share or --bad-share."
        )
