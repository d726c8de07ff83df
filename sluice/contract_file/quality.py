"""The contract's `quality` entries, of the table and of its columns, as expectations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sluice.contract_file.quality_custom import read_custom, read_sql
from sluice.contract_file.quality_metrics import Metric
from sluice.errors import did_you_mean
from sluice.expectations.expectation import Expectation, Importance
from sluice.expectations.rules_sql import open_empty_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from open_data_contract_standard.model import SchemaObject, SchemaProperty

    from sluice.contract import Column
    from sluice.contract_file.place import Place
    from sluice.contract_file.quality_metrics import Typed
    from sluice.expectations.question import Columns
    from sluice.expectations.rules_sql import EmptyTable

_TYPES = ("library", "sql", "custom", "text")
_IMPORTANCE = {
    "critical": Importance.CRITICAL,
    "error": Importance.CRITICAL,
    "high": Importance.CRITICAL,
    "warning": Importance.WARNING,
    "warn": Importance.WARNING,
    "medium": Importance.WARNING,
    "low": Importance.WARNING,
    "info": Importance.INFO,
}


def read_expectations(table: SchemaObject, place: Place, columns: Sequence[Column]) -> tuple[Expectation, ...]:
    """Return the expectations: the table's, then those of each column; `place` is that of the table."""
    rules = list(_rules(table, place))
    _refuse_nested(table.properties or (), place["properties"])
    known: Columns = {column.name: column.type for column in columns}
    # Columns that were refused are not here, and rules that name them should not be refused on top of that.
    if not rules or len(known) < len(table.properties or ()):
        return ()
    empty = open_empty_table(known)
    with empty.connection:
        found = [_Reading(*rule, known, empty).expectation() for rule in rules]
    return tuple(expectation for expectation in found if expectation is not None)


def _rules(table: SchemaObject, place: Place) -> Iterator[tuple[Mapping[str, object], Place, str | None]]:
    """Yield each rule as it is written, because the standard's model turns exact numbers into floats."""
    yield from _written(place["quality"], None)
    for index, declared in enumerate(table.properties or ()):
        yield from _written(place["properties"][index]["quality"], declared.name)


def _written(place: Place, column: str | None) -> Iterator[tuple[Mapping[str, object], Place, str | None]]:
    value: object = place.document.value
    for step in place.at:
        value = _inside(value, step)
    for index, rule in enumerate(value if isinstance(value, list) else ()):
        if isinstance(rule, dict):
            yield rule, place[index], column


def _inside(value: object, step: str | int) -> object:
    match value, step:
        case dict(), str():
            return value.get(step)
        case list(), int():
            return value[step]
        case _:
            return None


def _refuse_nested(properties: Sequence[SchemaProperty], place: Place, depth: int = 0) -> None:
    for index, declared in enumerate(properties):
        inner, here = declared, place[index]
        if depth and declared.quality:
            here["quality"].refuse("is inside a nested value, where it is not read.", "Move it to the column.")
        while inner.items is not None:
            inner, here = inner.items, here["items"]
            if inner.quality:
                here["quality"].refuse("is inside a nested value, where it is not read.", "Move it to the column.")
        _refuse_nested(inner.properties or (), here["properties"], depth + 1)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One rule while it is being understood; `column` is the property it stands at."""

    rule: Mapping[str, object]
    place: Place
    column: str | None
    columns: Columns
    table: EmptyTable

    def expectation(self) -> Expectation | None:
        kind = self.rule.get("type") or "library"
        if kind == "text":
            return None
        importance = self._importance()
        match kind:
            case "library":
                metric = Metric(self.rule, self.place, self.column, self.table)
                return self._limited(metric.expectation(self.columns), metric.name, importance)
            case "sql":
                found = read_sql(self.rule, self.place, self.column, self.table)
                return self._limited(found, "SQL", importance)
            case "custom":
                typed = read_custom(self.rule, self.place, self.column, self.columns, self.table)
                return typed and self._named(typed, _usual_name(typed), importance)
            case _:
                self.place["type"].refuse(f'is "{kind}".', did_you_mean(str(kind), _TYPES))
                return None

    def _limited(self, found: tuple[Typed, object] | None, noun: str, importance: Importance) -> Expectation | None:
        if found is None:
            return None
        typed, limit = found
        unit = " %" if self.rule.get("unit") == "percent" else ""
        named = f"{self.column}: {noun}" if self.column else noun
        return self._named(typed, f"{named} {limit}{unit}", importance)

    def _named(self, typed: Typed, usual: str, importance: Importance) -> Expectation:
        return Expectation(
            type=typed[0],
            kwargs=json.dumps(typed[1], ensure_ascii=False, default=_as_float),
            name=str(self.rule.get("name") or usual),
            importance=importance,
            description=str(self.rule.get("description") or ""),
        )

    def _importance(self) -> Importance:
        severity = self.rule.get("severity")
        if severity is None:
            return Importance.CRITICAL
        if str(severity).lower() not in _IMPORTANCE:
            self.place["severity"].refuse(f'is "{severity}".', did_you_mean(str(severity), _IMPORTANCE))
        return _IMPORTANCE.get(str(severity).lower(), Importance.CRITICAL)


def _usual_name(typed: Typed) -> str:
    kind, kwargs = typed
    names = [kwargs.get(name) for name in ("column", "column_A", "column_B")]
    listed = [str(name) for name in [*names, *(kwargs.get("column_list") or ())] if name is not None]
    subject = f"{', '.join(listed)}: " if listed else ""
    return subject + kind.removeprefix("expect_").replace("_", " ")


def _as_float(value: object) -> float:
    """Great Expectations' JSON has no exact decimals; a float has all digits of a number people write."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(value)
