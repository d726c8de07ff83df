"""Which columns tell the records of a dataset apart. A wrong key drops records as duplicates, so doubt means no key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from sluice.datatypes import Integer, Text, Timestamp
from sluice.inference.column_names import is_key, is_key_of, is_position, recency

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sluice.datatypes import DataType

LEAST_RECORDS = 100
"""Fewer records than this prove nothing about keys or required columns."""

_MOST_FAULTS = 0.02
_LEAST_FOREIGN = 1_000
"""A first column called *_id that does not name the dataset must be unique in this many records."""


class KeyCandidates:
    """The column names, alone or in pairs, that could be a key by name and by values: unique, but for a few records."""

    def __init__(self) -> None:
        self.records = 0
        self._seen: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        self._faults: Counter[tuple[str, ...]] = Counter()  # records without the key, or with one seen before

    def add(self, record: Mapping[str, object]) -> None:
        """Look at one record; columns that the first record does not have are no key."""
        if self.records == 0:
            self._seen = {candidate: set() for candidate in _by_name(record)}
        self.records += 1
        for names, seen in list(self._seen.items()):
            values = _key(record, names)
            if values is not None and values not in seen:
                seen.add(values)
            else:
                self._note_fault(names)

    @property
    def names(self) -> frozenset[str]:
        """The columns worth giving to `add`."""
        return frozenset(name for names in self._seen for name in names)

    def unique(self) -> tuple[tuple[str, ...], ...]:
        return tuple(names for names in self._seen if not self._faults[names])

    def nearly_unique(self) -> dict[str, int]:
        """Return single columns with the number of records that speak against them."""
        return {names[0]: self._faults[names] for names in self._seen if self._faults[names] and len(names) == 1}

    def _note_fault(self, names: tuple[str, ...]) -> None:
        self._faults[names] += 1
        if self._faults[names] > _MOST_FAULTS * (self.records + LEAST_RECORDS):
            del self._seen[names]


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """The key taken, if any, the column whose latest value wins, and columns that may be keys, with what is known."""

    key: tuple[str, ...] = ()
    order_by: str | None = None
    possible: dict[str, str] = field(default_factory=dict)


def choose_key(
    dataset: str, candidates: KeyCandidates, types: Mapping[str, DataType], always_filled: Iterable[str]
) -> KeyChoice:
    """Return the key that name and values agree on; `types` are in the order of the columns."""
    fitting = [names for names in candidates.unique() if all(_can_be_key(types.get(name)) for name in names)]
    if candidates.records < LEAST_RECORDS:
        return KeyChoice()
    key = _best(dataset, fitting, next(iter(types)), candidates.records)
    if not key:
        return KeyChoice(possible=_possible(dataset, fitting, candidates, types))
    filled = set(always_filled)
    instants = [name for name, datatype in types.items() if isinstance(datatype, Timestamp) and name in filled]
    latest = max(instants, key=recency, default=None)
    return KeyChoice(key, latest if latest is not None and recency(latest) else None)


def _best(dataset: str, fitting: list[tuple[str, ...]], first_column: str, records: int) -> tuple[str, ...]:
    own = [names for names in fitting if is_key_of(names[0], dataset)]
    if own:
        # Alone before in pairs; `id` before order_id, and what comes first before the rest.
        return min(own, key=len)
    alone = [names for names in fitting if len(names) == 1]
    if alone == [(first_column,)] and records >= _LEAST_FOREIGN:
        return alone[0]
    return ()


def _possible(
    dataset: str, fitting: list[tuple[str, ...]], candidates: KeyCandidates, types: Mapping[str, DataType]
) -> dict[str, str]:
    chance = {names[0]: "unique in the sample, which may be chance" for names in fitting if len(names) == 1}
    nearly = {
        name: f"unique but for {faults:,} records, which repeat one or have none"
        for name, faults in candidates.nearly_unique().items()
        if is_key_of(name, dataset) and _can_be_key(types.get(name))
    }
    return chance | nearly


def _can_be_key(datatype: DataType | None) -> bool:
    return isinstance(datatype, Integer | Text)


def _by_name(record: Mapping[str, object]) -> list[tuple[str, ...]]:
    keys = [name for name in record if is_key(name)]
    pairs = [pair for pair in product(keys, filter(is_position, record)) if pair[0] != pair[1]]
    return [*((name,) for name in keys), *pairs]


def _key(record: Mapping[str, object], names: tuple[str, ...]) -> tuple[str, ...] | None:
    values = [record.get(name) for name in names]
    texts = tuple(value.strip() for value in values if isinstance(value, str))
    return texts if len(texts) == len(names) and all(texts) else None
