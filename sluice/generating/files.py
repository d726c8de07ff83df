"""The bytes of one generated file, and what is in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import reduce
from random import Random
from typing import TYPE_CHECKING

from isal import igzip
from zstandard import ZstdCompressor

from sluice.errors import GenerationRefused
from sluice.generating.defects import Defect, defects
from sluice.generating.values import Values
from sluice.generating.written import CsvFormat, format_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sluice.contract import Column
    from sluice.generating.order import FileOrder
    from sluice.generating.written import Format

_POOL = 500
"""Cells made for each column that is no key; rows draw from them, which costs a fraction of making each anew."""


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """`body` holds `rows` records: `bad` ones, by the reason they are rejected for, `duplicates`, and good ones."""

    body: bytes
    rows: int
    duplicates: int
    bad: Mapping[str, int]

    @property
    def published(self) -> int:
        return self.rows - self.duplicates - sum(self.bad.values())


def generate(wanted: FileOrder) -> GeneratedFile:
    """Make one file; raises GenerationRefused when the contract leaves no room for such records."""
    order = wanted.order
    form = format_of(order.source, order.contract.columns)
    chosen = _chosen_defects(wanted, form)
    rows = list(_rows(wanted, form, chosen))
    body = _compressed(form.file(rows), wanted.key)
    return GeneratedFile(body, len(rows), order.duplicates, Counter(defect.code for defect in chosen))


def _chosen_defects(wanted: FileOrder, form: Format) -> list[Defect]:
    """Each kind in its turn, on from where the file before stopped."""
    order = wanted.order
    kinds = defects(order.contract.columns, form)
    if order.bad and not kinds:
        raise GenerationRefused(
            f"The contract of {order.contract.dataset} rejects no record of a {order.source.format} file.",
            cure="Leave out --bad-share, or give the contract required columns or rules.",
        )
    return [kinds[(wanted.number * order.bad + turn) % len(kinds)] for turn in range(order.bad)]


def _rows(wanted: FileOrder, form: Format, chosen: list[Defect]) -> Iterator[list[object] | str]:
    order = wanted.order
    random = Random(f"{order.seed}/{order.contract.dataset}/{wanted.key}")  # noqa: S311  no secrets here
    good = order.rows_per_file - len(chosen) - order.duplicates
    numbers: list[int] = [*range(good), *(random.randrange(good) for _ in range(order.duplicates))]
    plan: list[tuple[int, Defect | None]] = [(number, None) for number in numbers]
    plan.extend((good + turn, defect) for turn, defect in enumerate(chosen))
    random.shuffle(plan)
    columns = [list(_cells(column, wanted, form, random, plan)) for column in order.contract.columns]
    for (_, defect), cells in zip(plan, zip(*columns, strict=True), strict=True):
        yield list(cells) if defect is None else defect.applied(list(cells), form)


def _cells(
    column: Column, wanted: FileOrder, form: Format, random: Random, plan: list[tuple[int, Defect | None]]
) -> Iterator[object]:
    contract = wanted.order.contract
    if column.name in contract.primary_key:
        return _numbered(_keys(column, wanted), form, column, plan)
    if column.unique:
        return _numbered(_spread([Values(column, wanted.day)], 0, wanted), form, column, plan)
    values = Values(column, wanted.day)
    pool = [form.cell(value, column.type) for value in _pool(values, form, random, alone=len(contract.columns) == 1)]
    return iter(random.choices(pool, k=len(plan)))


def _pool(values: Values, form: Format, random: Random, *, alone: bool) -> list[object]:
    # In a CSV file of one column a missing value is an empty line, and that is no record.
    made = [values.some(random) if alone else values.any(random) for _ in range(_POOL)]
    usable = [value for value in made if form.can_write(value)] if isinstance(form, CsvFormat) else made
    if not usable:
        raise GenerationRefused(
            f"No text for the column {values.column.name} can be written in the encoding of the contract.",
            cure="Give the column an enum, or the files another encoding.",
        )
    return usable


@dataclass(frozen=True, slots=True)
class _Spread:
    """Which value of a column the record of a number has: numbers are spelt in the values of all key columns."""

    values: Values
    stride: int
    first: int
    room: int

    def value(self, number: int) -> object:
        return self.values.numbered((self.first + number) % self.room // self.stride % self.values.count)


def _keys(column: Column, wanted: FileOrder) -> _Spread:
    contract = wanted.order.contract
    return _spread(
        [Values(contract.column(name), wanted.day) for name in contract.primary_key],
        contract.primary_key.index(column.name),
        wanted,
    )


def _spread(values: list[Values], index: int, wanted: FileOrder) -> _Spread:
    counts = [item.count for item in values]
    room, needed = reduce(lambda a, b: a * b, counts, 1), wanted.order.files * wanted.order.rows_per_file
    if room < needed:
        names = ", ".join(item.column.name for item in values)
        raise GenerationRefused(
            f"The contract allows {room:,} different values of {names}; {needed:,} rows a day need more.",
            cure="Ask for fewer rows or files, or widen the column's type or rules.",
        )
    return _Spread(values[index], reduce(lambda a, b: a * b, counts[:index], 1), wanted.first_record, room)


def _numbered(spread: _Spread, form: Format, column: Column, plan: list[tuple[int, Defect | None]]) -> Iterator[object]:
    return (form.cell(spread.value(number), column.type) for number, _ in plan)


def _compressed(body: bytes, key: str) -> bytes:
    if key.endswith((".gz", ".gzip")):
        return igzip.compress(body, 1, mtime=0)
    return ZstdCompressor(level=1).compress(body) if key.endswith((".zst", ".zstd")) else body
