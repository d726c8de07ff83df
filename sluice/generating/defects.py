"""Ways in which a generated record is bad, each with the reason that its contract gives for rejecting it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.datatypes import Boolean, Date, Decimal, Double, Integer, Text, Timestamp
from sluice.generating.spans import outside, value_at
from sluice.generating.written import CsvFormat, JsonFormat, ParquetFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluice.contract import Column
    from sluice.generating.written import Format

_NOT_MATCHING = ("?", "~~", "0", "a", " ", "A0-")
_NOT_A_VALUE = "not a value"


@dataclass(frozen=True, slots=True)
class Defect:
    """`cell` takes the place of column `index`'s; without an index the whole line is spoilt."""

    code: str
    index: int | None = None
    cell: object = None

    def applied(self, row: list[object], form: Format) -> list[object] | str:
        if self.index is not None:
            return [*row[: self.index], self.cell, *row[self.index + 1 :]]
        match form:
            case JsonFormat() if self.code == "not_an_object":
                return f"[{form.line(row)}]"
            case JsonFormat():
                return form.line(row)[:-1]
            case CsvFormat():
                return form.line([*row, "surplus"])
            case _:
                raise TypeError(form)


def defects(columns: tuple[Column, ...], form: Format) -> tuple[Defect, ...]:
    """Return all that this contract rejects in files of this format, none of them twice."""
    found = [*_of_lines(form), *(defect for i, column in enumerate(columns) for defect in _of_column(i, column, form))]
    return tuple(dict.fromkeys(found))


def _of_lines(form: Format) -> Iterator[Defect]:
    match form:
        case JsonFormat():
            yield Defect("malformed_json")
            yield Defect("not_an_object")
        case CsvFormat():
            yield Defect("column_count")
        case _:  # a Parquet file has no lines
            return


def _of_column(index: int, column: Column, form: Format) -> Iterator[Defect]:
    if column.required and column.shim.default is None:
        yield Defect("required", index)
    if _has_spelling(column) and not isinstance(form, ParquetFormat):
        yield Defect("wrong_type", index, form.cell(_NOT_A_VALUE, Text()))
    for code, value in _against_rules(column):
        if not (isinstance(form, CsvFormat) and value == ""):  # an empty field of CSV is no value at all
            yield Defect(code, index, form.cell(value, column.type))


def _has_spelling(column: Column) -> bool:
    """Whether not every text is a value of the column; a cast may make something of it."""
    return isinstance(column.type, Integer | Decimal | Double | Boolean | Date | Timestamp) and not column.shim.cast


def _against_rules(column: Column) -> Iterator[tuple[str, object]]:
    rules = column.rules
    match column.type:
        case Integer() | Decimal() | Double() | Date() | Timestamp() as stepped:
            for code, step in outside(rules, stepped):
                yield code, value_at(step, stepped)
        case Text():
            yield from _against_text_rules(column)
        case _:  # an enum of booleans leaves too little that is wrong
            return


def _against_text_rules(column: Column) -> Iterator[tuple[str, str]]:
    rules = column.rules
    if rules.allowed:
        yield "not_allowed", "~".join(rules.allowed)[: rules.max_length] + "~"
    if rules.max_length is not None:
        yield "too_long", "x" * (rules.max_length + 1)
    if rules.min_length:
        yield "too_short", "x" * (rules.min_length - 1)
    if rules.pattern is not None:
        expression = re.compile(rules.pattern)
        yield from (("pattern_mismatch", text) for text in _NOT_MATCHING if not expression.search(text))
