"""Where files and contract have grown apart, and the next contract that would take the new fields in."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING

from sluice.datatypes import DataType, Decimal, Double, Integer, Text
from sluice.sql_types import duckdb_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sluice.contract import Column, Contract
    from sluice.inference.fields import SeenField, SeenObject
    from sluice.outcome import Outcome

_ALIKE = 0.6
_MOSTLY = 0.5


class DriftKind(StrEnum):
    UNKNOWN = "unknown"  # the files hold a field that the contract does not declare
    MISSING = "missing"  # the contract declares a column that an object has in none of its records
    RETYPED = "retyped"  # an object's values are of another type than the column


@dataclass(frozen=True, slots=True)
class Drift:
    """One field that differs. `records` hold it so, of `of_records` that were looked at; `objects` are their keys.

    `seen_type` is the narrowest type that fits what was seen in all of these objects, None when nothing was.
    """

    kind: DriftKind
    field: str
    objects: tuple[str, ...]
    records: int
    of_records: int
    declared_type: DataType | None = None
    seen_type: DataType | None = None
    may_be: str | None = None  # the column or field that it may be another name of

    @property
    def share(self) -> float:
        return self.records / self.of_records if self.of_records else 0.0


def drift_of(contract: Contract, seen: Sequence[SeenObject], outcome: Outcome | None) -> tuple[Drift, ...]:
    """Compare what objects hold with what the contract declares; upper and lower case count as the same.

    Whether values fit a column's type is the transform's word: without an `outcome` nothing counts as retyped.
    """
    columns = {column.name.lower(): column for column in contract.columns}
    total = sum(item.records for item in seen)
    unknown = [
        _unknown(name, holders, total) for name, holders in _holders(seen).items() if name.lower() not in columns
    ]
    missing = [found for column in contract.columns if (found := _missing(column, seen, total))]
    wrong = _wrong_types(outcome)
    retyped = [found for column in contract.columns if (found := _retyped(column, seen, wrong, total))]
    return tuple(_named_alike([*unknown, *missing, *retyped]))


def type_text(datatype: DataType | None) -> str:
    return "" if datatype is None else duckdb_type(datatype).lower()


def next_version(version: str) -> str:
    """Return `1.3.0` after `1.2.7`; a version of another form gets `-next`."""
    if found := re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version):
        return f"{found[1]}.{int(found[2]) + 1}.0"
    return f"{version}-next"


def _holders(seen: Iterable[SeenObject]) -> dict[str, list[tuple[SeenObject, SeenField]]]:
    holders: dict[str, list[tuple[SeenObject, SeenField]]] = defaultdict(list)
    for item in seen:
        for name, found in item.fields.items():
            holders[name].append((item, found))
    return holders


def _unknown(name: str, holders: Sequence[tuple[SeenObject, SeenField]], total: int) -> Drift:
    objects = tuple(item.key for item, _ in holders)
    records = sum(found.records for _, found in holders)
    return Drift(DriftKind.UNKNOWN, name, objects, records, total, seen_type=_together(found for _, found in holders))


def _missing(column: Column, seen: Sequence[SeenObject], total: int) -> Drift | None:
    """A column that may be empty is missed only when no object has it."""
    without = [item for item in seen if item.records and not _field(item, column)]
    if not without or (not column.required and len(without) < sum(1 for item in seen if item.records)):
        return None
    records = sum(item.records for item in without)
    objects = tuple(item.key for item in without)
    return Drift(DriftKind.MISSING, column.name, objects, records, total, declared_type=column.type)


def _retyped(
    column: Column, seen: Sequence[SeenObject], wrong: Mapping[tuple[str, str], int], total: int
) -> Drift | None:
    """A wrong value here and there is a bad record; half of an object's records are another type."""
    odd = [item for item in seen if wrong.get((item.key, column.name), 0) > _MOSTLY * item.records]
    if not odd:
        return None
    return Drift(
        DriftKind.RETYPED,
        column.name,
        tuple(item.key for item in odd),
        sum(wrong[item.key, column.name] for item in odd),
        total,
        declared_type=column.type,
        seen_type=_together(found for item in odd if (found := _field(item, column))),
    )


def _wrong_types(outcome: Outcome | None) -> Mapping[tuple[str, str], int]:
    return {
        (reason.key, reason.column): reason.records
        for reason in (outcome.reasons if outcome else ())
        if reason.code == "wrong_type" and reason.column
    }


def _field(item: SeenObject, column: Column) -> SeenField | None:
    return next((found for name, found in item.fields.items() if name.lower() == column.name.lower()), None)


def _together(fields: Iterable[SeenField]) -> DataType | None:
    """Return one type for all that was seen: theirs if they agree, a double for numbers of several kinds, else text."""
    types = list(dict.fromkeys(found.type for found in fields if found.records))
    if len(types) <= 1:
        return types[0] if types else None
    return Double() if all(isinstance(item, Integer | Decimal | Double) for item in types) else Text()


def _named_alike(found: Sequence[Drift]) -> list[Drift]:
    """A field that came while a column went may be the same under a new name."""
    names = {
        DriftKind.UNKNOWN: [item.field for item in found if item.kind is DriftKind.MISSING],
        DriftKind.MISSING: [item.field for item in found if item.kind is DriftKind.UNKNOWN],
        DriftKind.RETYPED: [],
    }
    return [
        replace(item, may_be=next(iter(get_close_matches(item.field, names[item.kind], 1, _ALIKE)), None))
        for item in found
    ]
