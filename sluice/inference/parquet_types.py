"""Column types from a Parquet file's own schema, which knows more than its values do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from sluice.datatypes import (
    Boolean,
    DataType,
    Date,
    Decimal,
    Double,
    Field,
    Integer,
    Json,
    ListOf,
    Struct,
    Text,
    Timestamp,
)
from sluice.inference.facts import UNKNOWN_ZONE, Facts, Trait
from sluice.inference.shape import Kind
from sluice.inference.value_types import Decision, decide, names_clash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.inference.samples import SampleFile
    from sluice.inference.shape import Shape

_MOST_DIGITS = 38


def common_schema(samples: Sequence[SampleFile]) -> dict[str, pa.DataType]:
    """Return the types of the columns that have one type in all samples."""
    found: dict[str, set[pa.DataType]] = {}
    for sample in samples:
        with sample.open() as stream:
            for item in pq.read_schema(stream):
                found.setdefault(item.name, set()).add(item.type)
    return {name: types.pop() for name, types in found.items() if len(types) == 1}


def decide_parquet(name: str, declared: pa.DataType | None, shape: Shape) -> Decision:
    """Return the declared type when every value seen fits it, else what the values say (NaN fits no number)."""
    datatype = None if declared is None else _datatype(declared)
    if datatype is None or not _fits(datatype, shape):
        return decide(name, shape)
    if isinstance(datatype, Timestamp) and datatype.default_zone:
        return Decision(datatype, (f"no time zone in the file: {UNKNOWN_ZONE} is a guess, confirm it",))
    return Decision(datatype)


def _datatype(declared: pa.DataType) -> DataType | None:
    kinds = pa.types
    if kinds.is_dictionary(declared):
        return _datatype(declared.value_type)
    if kinds.is_struct(declared):
        return _struct(declared)
    if kinds.is_list(declared) or kinds.is_large_list(declared) or kinds.is_fixed_size_list(declared):
        element = _datatype(declared.value_type)
        return None if element is None else ListOf(element)
    return Json() if kinds.is_map(declared) else _scalar(declared)


def _struct(declared: pa.StructType) -> DataType:
    members = [declared.field(index) for index in range(declared.num_fields)]
    types = {member.name: _datatype(member.type) for member in members}
    fields = tuple(Field(name, datatype) for name, datatype in types.items() if datatype is not None)
    return Struct(fields) if len(fields) == len(members) > 0 and not names_clash(types) else Json()


def _scalar(declared: pa.DataType) -> DataType | None:
    kinds = pa.types
    if kinds.is_uint64(declared):
        return Decimal(20, 0)
    if kinds.is_integer(declared):
        return Integer()
    if kinds.is_decimal(declared):
        fits = declared.precision <= _MOST_DIGITS and 0 <= declared.scale <= declared.precision
        return Decimal(declared.precision, declared.scale) if fits else Text()
    if kinds.is_timestamp(declared):
        return Timestamp(None if declared.tz else UNKNOWN_ZONE)
    for holds, datatype in _SCALARS:
        if holds(declared):
            return datatype
    return None


_SCALARS = (
    (pa.types.is_floating, Double()),
    (pa.types.is_boolean, Boolean()),
    (pa.types.is_date, Date()),
    (pa.types.is_string, Text()),
    (pa.types.is_large_string, Text()),
    (pa.types.is_string_view, Text()),
    (pa.types.is_binary, Text()),
    (pa.types.is_time, Text()),
)


def _fits(datatype: DataType, shape: Shape) -> bool:
    """Whether every value seen can be read as the type: a declared type has values that Sluice refuses."""
    if shape.seen == 0:
        return True
    match datatype:
        case Struct(members):
            return shape.is_record and all(
                _fits(m.type, shape.members[m.name]) for m in members if m.name in shape.members
            )
        case ListOf(element):
            return shape.is_list and (shape.element is None or _fits(element, shape.element))
        case Json() | Text():
            return shape.is_scalar or isinstance(datatype, Json)
        case _:
            return shape.is_scalar and all(_holds(datatype, kind, found) for kind, found in shape.facts().items())


def _holds(datatype: DataType, kind: Kind, facts: Facts) -> bool:
    match datatype:
        case Integer():
            return facts.all(Trait.INTEGER)
        case Decimal() | Double():
            return facts.all(Trait.NUMBER)
        case Boolean():
            return kind is Kind.BOOLEAN
        case Date():
            return facts.all(Trait.DATE)
        case Timestamp(None):
            return facts.all(Trait.ZONED)
        case _:
            return facts.all(Trait.INSTANT)
