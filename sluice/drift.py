"""Where files and contract have grown apart, and the next contract that would take the new fields in."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sluice.datatypes import DataType, Decimal, Double, Integer, Text
from sluice.drift_kind import TYPE_CODES, DriftKind, is_drift
from sluice.sql_types import duckdb_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sluice.contract import Column, Contract
    from sluice.inference.fields import SeenField, SeenObject
    from sluice.outcome import Outcome

_ALIKE = 0.6


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
    """Compare what objects hold with what the contract declares.

    Whether values fit a column's type is the transform's word: without an `outcome` nothing counts as retyped.
    """
    known = {name for column in contract.columns for name in _names(column)}
    total = sum(item.records for item in seen)
    unknown = [_unknown(name, holders, total) for name, holders in _holders(seen).items() if name not in known]
    missing = [found for column in contract.columns if (found := _missing(column, seen, total))]
    wrong = _wrong_types(outcome)
    retyped = [found for column in contract.columns if (found := _retyped(column, seen, wrong, total))]
    renamed = _renamed(contract, unknown, seen)
    came = {column: field for field, column in renamed.items()}
    return (
        *(replace(item, may_be=renamed.get(item.field)) for item in unknown),
        *(replace(item, may_be=came.get(item.field)) for item in missing),
        *retyped,
    )


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
    odd = [item for item in seen if _is_retyped(wrong.get((item.key, column.name), 0), item)]
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


def _is_retyped(records: int, item: SeenObject) -> bool:
    return records > 0 and is_drift(DriftKind.RETYPED, records, item.records)


def _wrong_types(outcome: Outcome | None) -> Mapping[tuple[str, str], int]:
    """Count by object and column; in an object that was quarantined whole, no record has a reason of its own."""
    found: Counter[tuple[str, str]] = Counter()
    for reason in outcome.reasons if outcome else ():
        if reason.code in TYPE_CODES and reason.column:
            found[reason.key, reason.column] += reason.records
    whole = {(item.key, item.field): item.records for item in outcome.drift} if outcome else {}
    retyped = {(item.key, item.field) for item in outcome.drift if item.kind is DriftKind.RETYPED} if outcome else set()
    return {**{place: whole[place] for place in retyped}, **found}


def _names(column: Column) -> tuple[str, ...]:
    return (column.name, *column.shim.also_called)


def _field(item: SeenObject, column: Column) -> SeenField | None:
    return next((item.fields[name] for name in _names(column) if name in item.fields), None)


def _together(fields: Iterable[SeenField]) -> DataType | None:
    """Return one type for all that was seen: theirs if they agree, a double for numbers of several kinds, else text."""
    types = list(dict.fromkeys(found.type for found in fields if found.records))
    if len(types) <= 1:
        return types[0] if types else None
    return Double() if all(isinstance(item, Integer | Decimal | Double) for item in types) else Text()


def _renamed(contract: Contract, unknown: Sequence[Drift], seen: Sequence[SeenObject]) -> Mapping[str, str]:
    """Return field -> column where a field came as an alike column went, in the same objects."""
    renamed: dict[str, str] = {}
    for item in unknown:
        holders = [found for found in seen if found.key in item.objects]
        went = [
            column
            for column in contract.columns
            if column.name not in renamed.values() and not any(_field(found, column) for found in holders)
        ]
        if column := _likeliest(item, went, alone=len(unknown) == 1):
            renamed[item.field] = column
    return renamed


def _likeliest(item: Drift, went: Sequence[Column], *, alone: bool) -> str | None:
    """Return the column of an alike name, or the only one that went, if only this field came and its type fits."""
    by_name = {column.name.lower(): column.name for column in went}
    if alike := get_close_matches(item.field.lower(), by_name, 1, _ALIKE):
        return by_name[alike[0]]
    is_only = alone and len(went) == 1 and type(went[0].type) is type(item.seen_type)
    return went[0].name if is_only else None
