"""The types a contract can give a column, after ODCS logical and physical types have been read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """UTF-8 text; a JSON number or boolean is taken as its exact text, an object or array is not."""


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number in `bits` signed bits (32 or 64)."""

    bits: int = 64


@dataclass(frozen=True, slots=True)
class Decimal:
    """An exact number with `precision` digits in all (1 to 38), `scale` of them after the point."""

    precision: int
    scale: int


@dataclass(frozen=True, slots=True)
class Double:
    """A finite IEEE 754 double."""


@dataclass(frozen=True, slots=True)
class Boolean:
    """true or false; nothing else counts as either."""


@dataclass(frozen=True, slots=True)
class Date:
    """A calendar date, `YYYY-MM-DD` unless `format` (a strptime pattern) says otherwise."""

    format: str | None = None


@dataclass(frozen=True, slots=True)
class Timestamp:
    """An instant, kept as UTC microseconds.

    A value without a zone is refused unless `default_zone` (an IANA name) says which zone the source means.
    `format` is a strptime pattern for values that are not ISO 8601.
    """

    default_zone: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Json:
    """Any JSON value, kept as JSON text: for payloads whose shape varies from record to record."""


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a struct."""

    name: str
    type: DataType
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Struct:
    """A nested object with known members."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array whose elements share one type; an element may be null."""

    element: DataType


DataType = Text | Integer | Decimal | Double | Boolean | Date | Timestamp | Json | Struct | ListOf
