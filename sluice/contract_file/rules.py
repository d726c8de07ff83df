"""The limits a contract puts on one column: logicalTypeOptions, enum and varchar lengths."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as Number
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sluice.contract import Rules
from sluice.contract_file.datatype import FITTING_TYPES, length_of
from sluice.datatypes import Boolean, DataType, Date, Decimal, Integer, Text, Timestamp
from sluice.errors import did_you_mean

if TYPE_CHECKING:
    from open_data_contract_standard.model import SchemaProperty

    from sluice.contract_file.place import Place

_LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_OF_THE_TYPE = ("format", "timezone", "defaultTimezone")  # of dates and timestamps: they say how values are read
ENFORCED_OPTIONS = {
    "string": ("minLength", "maxLength", "pattern"),
    "integer": _LIMITS,
    "number": _LIMITS,
    "date": (*_LIMITS, "format"),
    "timestamp": (*_LIMITS, *_OF_THE_TYPE),
}
_NOT_ENFORCED = {
    "multipleOf": "Leave it out; for steps after the point use physicalType decimal(p,s).",
    "format": "Leave it out; use pattern for text and physicalType for numbers.",
    "required": "Write required: true on the property itself.",
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"), "Leave it out."),
}


def check_options(declared: SchemaProperty, place: Place, *, nested: bool = False) -> None:
    """Refuse the options, here and in everything nested, that Sluice would not enforce on this type."""
    logical = declared.logicalType or ""
    enforced = ENFORCED_OPTIONS.get(logical, ())
    fitting = [name for name in enforced if name in _OF_THE_TYPE or not nested]
    for name in declared.logicalTypeOptions or {}:
        here = place["logicalTypeOptions"][name]
        if name in fitting or logical not in FITTING_TYPES:
            continue
        if name in enforced:
            here.refuse("is not enforced inside objects and arrays.", "Leave it out, or make the value a column.")
        elif name in _NOT_ENFORCED:
            here.refuse(f"is not enforced for logicalType {logical}.", _NOT_ENFORCED[name])
        else:
            here.refuse(f"is not an option of logicalType {logical}.", did_you_mean(name, fitting))
    for index, member in enumerate(declared.properties or ()):
        check_options(member, place["properties"][index], nested=True)
    if declared.items is not None:
        check_options(declared.items, place["items"], nested=True)


def read_rules(declared: SchemaProperty, datatype: DataType, place: Place) -> Rules:
    """Return the limits; every limit is checked against the type, so that no record is judged by nonsense."""
    options = declared.logicalTypeOptions or {}
    here = place["logicalTypeOptions"]
    minimum, maximum, above, below = (_limit(options.get(name), datatype, here[name]) for name in _LIMITS)
    _check_order(minimum, maximum, here["maximum"])
    _check_order(above, below, here["exclusiveMaximum"])
    shortest, longest = (_length(options.get(name), here[name]) for name in ("minLength", "maxLength"))
    _check_order(shortest, longest, here["maxLength"])
    lengths = [length for length in (longest, length_of(declared)) if length is not None]
    return Rules(
        allowed=_allowed(declared, datatype, place["enum"]),
        minimum=minimum,
        maximum=maximum,
        exclusive_minimum=above,
        exclusive_maximum=below,
        min_length=shortest,
        max_length=min(lengths, default=None),
        pattern=_pattern(options.get("pattern"), here["pattern"]),
    )


def _limit(value: object, datatype: DataType, place: Place) -> Number | str | None:
    if value is None:
        return None
    match datatype:
        case Date():
            return _date(value, place)
        case Timestamp(default_zone):
            return _instant(value, default_zone, place)
        case _ if isinstance(value, int | Number) and not isinstance(value, bool):
            return Number(value)
        case _:
            place.refuse("must be a number.", "Write a number without quotes.")
            return None


def _date(value: object, place: Place) -> str | None:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        place.refuse("must be a date.", "Write it as 2026-11-01.")
        return None


def _instant(value: object, default_zone: str | None, place: Place) -> str | None:
    """An instant as UTC text, so that the limit means the same whatever zone the records are in."""
    cure = "Write it as 2026-11-01T00:00:00Z."
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        place.refuse("must be an instant.", cure)
        return None
    if instant.tzinfo is None:
        if default_zone is None:
            place.refuse("names no time zone.", cure)
            return None
        instant = instant.replace(tzinfo=ZoneInfo(default_zone))
    return instant.astimezone(UTC).isoformat()


def _length(value: object, place: Place) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    place.refuse("must be a whole number from 0.", "Write the number of characters.")
    return None


def _check_order(low: Number | str | int | None, high: Number | str | int | None, place: Place) -> None:
    """Both come from the same reader, so they are of one type."""
    if low is not None and high is not None and low > high:  # type: ignore[operator]
        place.refuse(f"is {high}, below the lower limit {low}, so every record would be rejected.", "Swap the two.")


def _pattern(value: object, place: Place) -> str | None:
    if value is None or isinstance(value, str):
        return value
    place.refuse("must be text.", "Put the regular expression between quotes.")
    return None


def _allowed(declared: SchemaProperty, datatype: DataType, place: Place) -> tuple[str, ...]:
    if declared.enum is None:
        return ()
    if not isinstance(datatype, Text | Integer | Decimal | Boolean | Date):
        place.refuse(
            f"does not work with logicalType {declared.logicalType}.", "Leave it out, or use minimum, maximum."
        )
        return ()
    if not declared.enum:
        place.refuse("is empty, so every record would be rejected.", "Leave it out, or list the allowed values.")
    values = [item.value for item in declared.enum]
    allowed: list[str] = []
    for index, value in enumerate(values):
        here = place[index]["value"]
        if not _fits(value, datatype):
            here.refuse(f"is {value!r}, which is not a {declared.logicalType}.", _enum_cure(value, datatype))
        elif str(value) in allowed:
            here.refuse(f"lists {value!r} twice.", "Remove one of them.")
        allowed.append(str(value).lower() if isinstance(value, bool) else str(value))
    return tuple(allowed)


def _fits(value: object, datatype: DataType) -> bool:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    match datatype:
        case Integer(bits):
            return is_whole and -(2 ** (bits - 1)) <= int(str(value)) < 2 ** (bits - 1)
        case Decimal(precision, scale):
            return (is_whole or isinstance(value, Number)) and _decimal_fits(Number(str(value)), precision, scale)
        case Boolean():
            return isinstance(value, bool)
        case Date():
            return isinstance(value, str) and _is_date(value)
        case _:
            return isinstance(value, str)


def _decimal_fits(number: Number, precision: int, scale: int) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= scale and number.adjusted() < precision - scale


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _enum_cure(value: object, datatype: DataType) -> str:
    if value is None:
        return "Write {value: x}; a column that may be empty needs no null here."
    if isinstance(datatype, Text):
        return f'Put it between quotes: "{value}".'
    return "Write a value that the column's type holds, without quotes around numbers."
