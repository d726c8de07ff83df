"""Where a file goes when it is landed: the date is the one asked for, the one in its name, or today."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from sluice.errors import LandingRefused
from sluice.location import Location

if TYPE_CHECKING:
    from sluice.contract import Contract

DATE_IN_NAME = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")


class DateFrom(StrEnum):
    """Where the date of a landing was taken from."""

    OPTION = "--date"
    FILE_NAME = "the file's name"
    TODAY = "today, UTC"


@dataclass(frozen=True, slots=True)
class Landing:
    """One file's place; `key` is relative to the raw zone."""

    dataset: str
    partition: str
    key: str
    date_from: DateFrom


def plan_landing(contract: Contract, file_name: str, *, asked: str | None, today: date) -> Landing:
    """Say where a file of that name goes; raises LandingRefused with the cure when it cannot be landed."""
    if contract.source is None:
        raise LandingRefused(
            f"Dataset {contract.dataset} is derived by its transform.sql; files cannot be landed in it.",
            cure="Land them in one of the datasets it reads.",
        )
    day, date_from = _date_of(file_name, asked, today)
    _check_range(contract, day, today)
    partition = day.isoformat()
    key = Location.parse(contract.source.pattern).key_for(partition, file_name)
    return Landing(contract.dataset, partition, key, date_from)


def _date_of(file_name: str, asked: str | None, today: date) -> tuple[date, DateFrom]:
    if asked is not None:
        return _parse(asked, "--date"), DateFrom.OPTION
    named = sorted(set(DATE_IN_NAME.findall(file_name)))
    match named:
        case []:
            return today, DateFrom.TODAY
        case [only]:
            return _parse(only, file_name), DateFrom.FILE_NAME
        case _:
            raise LandingRefused(
                f"The name {file_name} holds several dates: {', '.join(named)}.",
                cure="Say which one: --date YYYY-MM-DD.",
            )


def _parse(text: str, place: str) -> date:
    try:
        return date.fromisoformat(text) if DATE_IN_NAME.fullmatch(text) else _refuse_date(text, place)
    except ValueError:
        return _refuse_date(text, place)


def _refuse_date(text: str, place: str) -> date:
    raise LandingRefused(f'"{text}" in {place} is not a date.', cure="Write it as --date YYYY-MM-DD.")


def _check_range(contract: Contract, day: date, today: date) -> None:
    if day < contract.start:
        raise LandingRefused(
            f"{day} is before the first partition of {contract.dataset}, {contract.start}.",
            cure=f"Choose another --date, or move `start` in {contract.path}.",
        )
    if day > today:
        raise LandingRefused(
            f"{day} is in the future: today is {today} (UTC).", cure="Choose another --date, or land it then."
        )
