"""Values that a column accepts: any of them, or one for each number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal as Number
from functools import cached_property
from typing import TYPE_CHECKING

from sluice.contract import Rules
from sluice.datatypes import Boolean, DataType, Date, Decimal, Double, Integer, Json, ListOf, Struct, Text, Timestamp
from sluice.errors import GenerationRefused
from sluice.generating.pattern import CountingChooser, Node, RandomChooser, parse_pattern
from sluice.generating.spans import Span, allowed_span, usual_span, value_at

if TYPE_CHECKING:
    from random import Random

    from sluice.contract import Column

_NO_RULES = Rules()
_NULL_SHARE = 0.03
_MOST_ITEMS = 3
_TRIES = 100
_USUAL_KEY_LENGTH = 12
_KEY_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TEXTS = (
    *("amber", "birch", "cobalt", "delta", "ember", "fjord", "granite", "harbour", "indigo", "juniper", "kestrel"),
    *('O\'Neill, "Tip"', "naïve café", "back\\slash", "semi;colon", "two  spaces", "ünïcödé ☂", "null", "0123", "x=y"),
)


@dataclass(frozen=True)
class Values:
    """What one column holds on one day."""

    column: Column
    day: date

    def any(self, random: Random) -> object:
        """Return a value, or None now and then where that is allowed."""
        if not self.column.required and random.random() < _NULL_SHARE:
            return None
        return self.some(random)

    def some(self, random: Random) -> object:
        return _of_type(self.column.type, self, random)

    @cached_property
    def count(self) -> int:
        """For how many numbers `numbered` gives different values."""
        match self.column.type:
            case Boolean():
                return len(self._allowed) or 2
            case Integer() | Decimal() | Double() | Text() if self._allowed:
                return len(self._allowed)
            case Integer() | Decimal() | Double() | Timestamp():
                return self._numbered_span.size
            case Text():
                return self._node.size
            case Date() | Json() | Struct() | ListOf():
                return 1  # a key with a date has the partition's

    def numbered(self, number: int) -> object:
        """Return the value of a number below `count`."""
        match self.column.type:
            case _ if self._allowed:
                return self._allowed[number]
            case Boolean():
                return bool(number)
            case Date():
                allowed = allowed_span(self.column, Date())
                day = (self.day - date(1970, 1, 1)).days
                return value_at(min(max(day, allowed.low), allowed.high), Date())
            case Integer() | Decimal() | Double() | Timestamp() as stepped:
                return value_at(self._numbered_span.low + number, stepped)
            case Text():
                return self._fitting(self._node.text(CountingChooser(number)))
            case _:
                raise _no_key(self.column)

    @cached_property
    def _allowed(self) -> tuple[object, ...]:
        return tuple(_read(text, self.column.type) for text in self.column.rules.allowed)

    @cached_property
    def _numbered_span(self) -> Span:
        """From the lowest usual value up to the highest that is allowed; instants stay within the day."""
        match self.column.type:
            case Timestamp() as stepped:
                return usual_span(self.column, stepped, self.day)
            case Integer() | Decimal() | Double() as stepped:
                return Span(usual_span(self.column, stepped, self.day).low, allowed_span(self.column, stepped).high)
            case _:
                raise _no_key(self.column)

    @cached_property
    def _node(self) -> Node:
        rules = self.column.rules
        if rules.pattern is not None:
            return parse_pattern(rules.pattern)
        length = min(max(rules.min_length or 0, _USUAL_KEY_LENGTH), rules.max_length or _USUAL_KEY_LENGTH)
        return parse_pattern(f"[{_KEY_CHARACTERS}]{{{length}}}")

    def text(self, random: Random) -> str:
        rules = self.column.rules
        if rules.pattern is not None:
            tried = (self._node.text(RandomChooser(random)) for _ in range(_TRIES))
            return self._fitting(next((text for text in tried if self._fits(text)), ""))
        text = random.choice(_TEXTS)
        while len(text) < (rules.min_length or 1):
            text = f"{text} {random.choice(_TEXTS)}"
        return text if rules.max_length is None else text[: rules.max_length]

    def _fits(self, text: str) -> bool:
        rules = self.column.rules
        return (rules.min_length or 0) <= len(text) <= (rules.max_length or len(text))

    def _fitting(self, text: str) -> str:
        if not self._fits(text):
            raise GenerationRefused(
                f"Sluice finds no text for the column {self.column.name} that has both its pattern and its length.",
                cure="Write the length into the pattern, such as ^[a-z]{2,5}$.",
            )
        return text


def _no_key(column: Column) -> GenerationRefused:
    return GenerationRefused(
        f"Sluice cannot make up keys for the column {column.name}.", cure="Make a plain column the key."
    )


def _of_type(datatype: DataType, values: Values, random: Random) -> object:
    column = values.column
    match datatype:
        case _ if datatype is column.type and column.rules.allowed:
            return _read(random.choice(column.rules.allowed), datatype)
        case Text():
            return values.text(random)
        case Integer() | Decimal() | Double() | Date() | Timestamp():
            span = usual_span(column, datatype, values.day)
            return value_at(random.randint(span.low, span.high), datatype)
        case Boolean():
            return random.random() < 0.5  # noqa: PLR2004
        case Json():
            return {"source": random.choice(_TEXTS), "attempt": random.randrange(9)}
        case Struct(fields):
            return {
                member.name: _of_type(member.type, _inside(values), random)
                if member.required or random.random() >= _NULL_SHARE
                else None
                for member in fields
            }
        case ListOf(element):
            return [_of_type(element, _inside(values), random) for _ in range(random.randint(1, _MOST_ITEMS))]


def _inside(values: Values) -> Values:
    """What is nested has no rules of its own, and those of the column are not about it."""
    return replace(values, column=replace(values.column, rules=_NO_RULES))


def _read(text: str, datatype: DataType) -> object:
    """An allowed value, which a contract holds as text."""
    match datatype:
        case Integer():
            return int(text)
        case Decimal() | Double():
            return Number(text)
        case Boolean():
            return text == "true"
        case Date():
            return date.fromisoformat(text)
        case _:
            return text
