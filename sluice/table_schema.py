"""The Iceberg schema of a dataset's table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.schema import Schema, assign_fresh_schema_ids
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    NestedField,
    StringType,
    StructType,
    TimestamptzType,
)

from sluice.contract import PARTITION_COLUMN, STATUS_COLUMN
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

if TYPE_CHECKING:
    from sluice.contract import Column, Contract

_PARTITION_DOC = "The UTC date of the raw objects that the record came in: the partition."
_STATUS_DOC = "placeholder or fallback: what stands in for the partition's own data. NULL: they are its own data."
_UNASSIGNED = 0


def iceberg_schema(contract: Contract, *, with_status: bool = False) -> Schema:
    """Return the schema of a new table; `partition_date` is its last column, before it `_sluice_status` if asked for.

    Every field is optional, also where the contract says required: the transform has rejected the records that lack
    it, and Iceberg refuses to add files that DuckDB wrote to a table with required fields, because all columns of
    such files are optional. Field ids are those that a catalog gives a new table with this schema.
    """
    fields = [_field(column) for column in contract.columns]
    if with_status:
        fields.append(_optional(STATUS_COLUMN, StringType(), _STATUS_DOC))
    fields.append(_optional(PARTITION_COLUMN, DateType(), _PARTITION_DOC))
    return assign_fresh_schema_ids(Schema(*fields))


def iceberg_type(datatype: DataType) -> IcebergType:
    """Return the Iceberg type; nested fields carry no ids of their own yet."""
    match datatype:
        case Text() | Json():
            return StringType()
        case Integer(bits):
            return {32: IntegerType(), 64: LongType()}[bits]
        case Decimal(precision, scale):
            return DecimalType(precision, scale)
        case Double():
            return DoubleType()
        case Boolean():
            return BooleanType()
        case Date():
            return DateType()
        case Timestamp():
            return TimestamptzType()
        case Struct(fields):
            return StructType(*(_field(member) for member in fields))
        case ListOf(element):
            return ListType(element_id=_UNASSIGNED, element_type=iceberg_type(element), element_required=False)


def _field(declared: Column | Field) -> NestedField:
    return _optional(declared.name, iceberg_type(declared.type), declared.description)


def _optional(name: str, kind: IcebergType, doc: str) -> NestedField:
    return NestedField(field_id=_UNASSIGNED, name=name, field_type=kind, required=False, doc=doc or None)
