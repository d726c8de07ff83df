"""The type of a column or of anything nested in one, from ODCS logical and physical types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sluice.contract_file.time_options import read_date, read_timestamp
from sluice.datatypes import (
    Boolean,
    DataType,
    Decimal,
    Double,
    Field,
    Integer,
    Json,
    ListOf,
    Struct,
    Text,
)
from sluice.errors import did_you_mean

if TYPE_CHECKING:
    from open_data_contract_standard.model import SchemaProperty

    from sluice.contract_file.place import Place

MAX_PRECISION = 38
_LENGTH = re.compile(r"(?:var)?char\s*\(\s*(\d+)\s*\)")
_DECIMAL = re.compile(r"(?:decimal|numeric)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_INTEGERS = {"int": 32, "integer": 32, "int32": 32, "bigint": 64, "long": 64, "int64": 64}
FITTING_TYPES = {
    "string": ("string", "text", "varchar", "varchar(n)"),
    "integer": tuple(_INTEGERS),
    "number": ("double", "float", "double precision", "decimal(p,s)", "numeric(p,s)"),
    "boolean": ("boolean", "bool"),
    "date": ("date",),
    "timestamp": ("timestamp", "timestamptz", "timestamp with time zone"),
    "object": ("object", "struct", "json"),
    "array": ("array", "list", "json"),
}
_ELSEWHERE = {
    "time": "Use logicalType string; a time of day alone is no instant.",
    "map": "Use logicalType object with physicalType json: keys that vary are kept as JSON text.",
    "vector": "Use logicalType array with items of logicalType number.",
}


def read_datatype(declared: SchemaProperty, place: Place) -> DataType | None:
    """Return the type, or None after refusing what is wrong with it."""
    logical = declared.logicalType
    if logical is None:
        place["logicalType"].refuse("is missing.", f"Choose one of {', '.join(FITTING_TYPES)}.")
        return None
    if logical not in FITTING_TYPES:
        place["logicalType"].refuse(
            f'is "{logical}", which Sluice has no type for.',
            _ELSEWHERE.get(logical) or did_you_mean(logical, FITTING_TYPES),
        )
        return None
    if not _shape_fits(declared, logical, place):
        return None
    match logical:
        case "object":
            return _object(declared, place)
        case "array":
            return _array(declared, place)
        case _:
            return _scalar(declared, logical, place)


def length_of(declared: SchemaProperty) -> int | None:
    """Return n of varchar(n)."""
    match = _LENGTH.fullmatch(_physical(declared))
    return int(match[1]) if match else None


def is_scalar(datatype: DataType) -> bool:
    """Whether values of this type have an order and can be keys."""
    return not isinstance(datatype, Json | Struct | ListOf)


def _physical(declared: SchemaProperty) -> str:
    return (declared.physicalType or "").strip().lower()


def _shape_fits(declared: SchemaProperty, logical: str, place: Place) -> bool:
    found = len(place.problems)
    for name, owner in (("properties", "object"), ("items", "array"), ("map", "map")):
        if getattr(declared, name) is not None and logical != owner:
            place[name].refuse(f"belongs to logicalType {owner}, not {logical}.", "Remove it or change logicalType.")
    if not _physical_fits(declared, logical):
        place["physicalType"].refuse(
            f'is "{declared.physicalType}", which does not fit logicalType {logical}.',
            f"What fits: {'; '.join(FITTING_TYPES[logical])}.",
        )
    return len(place.problems) == found


def _physical_fits(declared: SchemaProperty, logical: str) -> bool:
    physical = _physical(declared)
    if logical == "string" and _LENGTH.fullmatch(physical):
        return True
    if logical == "number" and _DECIMAL.fullmatch(physical):
        return True
    return physical == "" or physical in FITTING_TYPES[logical]


def _scalar(declared: SchemaProperty, logical: str, place: Place) -> DataType | None:
    match logical:
        case "string":
            return Text()
        case "integer":
            return Integer(_INTEGERS[_physical(declared) or "bigint"])
        case "number":
            return _number(declared, place)
        case "boolean":
            return Boolean()
        case "date":
            return read_date(declared, place)
        case _:
            return read_timestamp(declared, place)


def _number(declared: SchemaProperty, place: Place) -> DataType | None:
    match = _DECIMAL.fullmatch(_physical(declared))
    if match is None:
        return Double()
    precision, scale = int(match[1]), int(match[2] or 0)
    if 1 <= precision <= MAX_PRECISION and scale <= precision:
        return Decimal(precision, scale)
    place["physicalType"].refuse(
        f'is "{declared.physicalType}", more than a decimal can hold.',
        f"decimal(p,s) takes 1 to {MAX_PRECISION} digits p, and s from 0 to p of them after the point.",
    )
    return None


def _object(declared: SchemaProperty, place: Place) -> DataType | None:
    if declared.properties is None:
        return Json()
    if _physical(declared) == "json":
        place["physicalType"].refuse(
            "is json although the object's properties are declared.",
            "Leave physicalType out to get a column per property, or properties out to keep the JSON text.",
        )
        return None
    if not declared.properties:
        place["properties"].refuse("is empty.", "Declare a property, or leave properties out to keep the JSON text.")
        return None
    members = [read_member(member, place["properties"][i]) for i, member in enumerate(declared.properties)]
    return Struct(tuple(member for member in members if member is not None))


def read_member(declared: SchemaProperty, place: Place) -> Field | None:
    """Return one member of an object; rules on it are refused, because only whole columns are judged."""
    _refuse_nested_rules(declared, place)
    if not declared.name:
        place["name"].refuse("is missing.", "Name the property as it is called in the files.")
        return None
    datatype = read_datatype(declared, place)
    if datatype is None:
        return None
    return Field(declared.name, datatype, bool(declared.required), declared.description or "")


def _array(declared: SchemaProperty, place: Place) -> DataType | None:
    if declared.items is None:
        return Json()
    if _physical(declared) == "json":
        place["physicalType"].refuse(
            "is json although the array's items are declared.",
            "Leave physicalType out to get a list, or items out to keep the JSON text.",
        )
        return None
    here = place["items"]
    _refuse_nested_rules(declared.items, here)
    if declared.items.required:
        here["required"].refuse("is not enforced: an element may be null.", "Leave it out.")
    element = read_datatype(declared.items, here)
    return None if element is None else ListOf(element)


def _refuse_nested_rules(declared: SchemaProperty, place: Place) -> None:
    cure = "Leave it out, or make the value a column of its own."
    for name in ("primaryKey", "unique", "enum"):
        if getattr(declared, name):
            place[name].refuse("is not enforced inside objects and arrays.", cure)
    if length_of(declared) is not None:
        place["physicalType"].refuse("has a length, which is not enforced inside objects and arrays.", "Use string.")
