"""The shapes that JSON values took at one place of the records: a tree of counts and facts, filled record by record."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sluice.inference.facts import Facts, measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection

MAX_MEMBERS = 100
"""An object with more distinct members than this is a map with keys for data, not a record."""

LEAST_FILL = 0.5
"""Objects whose members are missing more often than this have no one shape."""

FEW, LEAST_FILL_OF_FEW = 100, 0.75
"""Fewer objects than FEW must be more alike."""

_WAITING = 20_000
_FIRST_LOOK = 1_000


class Kind(StrEnum):
    """How a scalar was written."""

    STRING = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    UNTYPED = "field"  # a CSV field: only its text can tell


class NumberText(str):
    """A JSON number as it was written; a float would lose digits."""

    __slots__ = ()


class Shape:
    """What was seen at one place. `seen` counts values that are not null."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self.seen = 0
        self.objects = 0
        self.arrays = 0
        self.members: dict[str, Shape] = {}
        self.element: Shape | None = None
        self._connection = connection
        self._filled = 0
        self._varies = False
        self._facts: dict[Kind, Facts] = {}
        self._waiting: dict[Kind, list[str]] = {}

    def add(self, value: Any) -> None:  # noqa: ANN401 - any JSON value, its numbers as NumberText
        if value is None:
            return
        self.seen += 1
        # In the order of how often they come: this runs for every value of every record.
        kind = type(value)
        if kind is str:
            self._add_text(Kind.STRING, value)
        elif kind is NumberText:
            self._add_text(Kind.NUMBER, value)
        elif kind is dict:
            self._add_object(value)
        elif kind is list:
            self._add_array(value)
        else:
            self._add_text(Kind.BOOLEAN, "true" if value else "false")

    def add_fields(self, texts: pa.StringArray) -> None:
        """Add a column of CSV fields at once."""
        self.seen += len(texts) - texts.null_count
        self._note(Kind.UNTYPED, texts)

    def facts(self) -> Mapping[Kind, Facts]:
        """What is true of the scalars seen here, by how they were written."""
        for kind in list(self._waiting):
            self._flush(kind)
        return self._facts

    @property
    def is_record(self) -> bool:
        """Whether all values are objects with, by and large, the same members."""
        return self.objects == self.seen > 0 and not self._varies and bool(self.members) and self._is_filled

    @property
    def is_list(self) -> bool:
        return self.arrays == self.seen > 0

    @property
    def is_scalar(self) -> bool:
        return self.objects == self.arrays == 0

    def _add_object(self, value: dict[str, object]) -> None:
        self.objects += 1
        if self._varies:
            return
        self._filled += len(value)
        for name, item in value.items():
            member = self.members.get(name)
            if member is None:
                member = self.members[name] = Shape(self._connection)
            member.add(item)
        if len(self.members) > MAX_MEMBERS or (self.objects == _FIRST_LOOK and self._fill < LEAST_FILL):
            self._varies = True
            self.members.clear()  # the values of a payload of any shape are not worth their memory

    @property
    def _is_filled(self) -> bool:
        return self._fill >= (LEAST_FILL_OF_FEW if self.objects < FEW else LEAST_FILL)

    @property
    def _fill(self) -> float:
        return self._filled / (self.objects * len(self.members)) if self.members else 1.0

    def _add_array(self, value: list[object]) -> None:
        self.arrays += 1
        self.element = self.element or Shape(self._connection)
        for item in value:
            self.element.add(item)

    def _add_text(self, kind: Kind, text: str) -> None:
        waiting = self._waiting.get(kind)
        if waiting is None:
            waiting = self._waiting[kind] = []
        waiting.append(text)
        if len(waiting) >= _WAITING:
            self._flush(kind)

    def _flush(self, kind: Kind) -> None:
        self._note(kind, pa.array(self._waiting.pop(kind), pa.string()))

    def _note(self, kind: Kind, texts: pa.StringArray) -> None:
        found = measure(self._connection, texts)
        if found.count:
            self._facts[kind] = self._facts.get(kind, Facts()).merged(found)
