"""Brings a table's columns and properties to what its contract says; columns are added and widened, never removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.exceptions import ResolveError
from pyiceberg.schema import Schema, promote
from pyiceberg.types import DecimalType, ListType, PrimitiveType, StructType

from sluice.contract import PARTITION_COLUMN, STATUS_COLUMN
from sluice.errors import TableIncompatible
from sluice.sensitivity import table_labels
from sluice.table_schema import iceberg_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyiceberg.table import Transaction
    from pyiceberg.types import IcebergType

    from sluice.contract import Contract


def evolve(transaction: Transaction, contract: Contract, *, with_status: bool = False) -> None:
    """Stage what the contract has changed since the last publication; raises TableIncompatible.

    `with_status` adds the column that flags stand-ins; once it is there, it stays.
    """
    schema, wanted = transaction.table_metadata.schema(), iceberg_schema(contract, with_status=with_status)
    for column, table_type, contract_type in _conflicts(schema.as_struct(), wanted.as_struct(), ""):
        raise TableIncompatible(
            table=contract.dataset, column=column, table_type=table_type, contract_type=contract_type
        )
    with transaction.update_schema() as update:
        update.union_by_name(wanted)
        for name in _added(schema, wanted):
            update.move_before(name, _behind_columns(schema, name))
    changed = table_properties(contract).items() - transaction.table_metadata.properties.items()
    if changed:
        transaction.set_properties(dict(changed))


def table_properties(contract: Contract) -> Mapping[str, str]:
    """Return what a catalog shows of the contract."""
    description = contract.description or contract.title
    return {"comment": description, "owner": contract.owner or "", **table_labels(contract)}


def _behind_columns(schema: Schema, added: str) -> str:
    """Sluice's own columns are the last ones, in one order."""
    has_status = any(field.name == STATUS_COLUMN for field in schema.fields)
    return STATUS_COLUMN if has_status and added != STATUS_COLUMN else PARTITION_COLUMN


def _added(schema: Schema, wanted: Schema) -> Iterator[str]:
    present = {field.name for field in schema.fields}
    return (field.name for field in wanted.fields if field.name not in present)


def _conflicts(present: StructType, wanted: StructType, path: str) -> Iterator[tuple[str, str, str]]:
    """Yield (column, type in the table, type in the contract) where neither type can become the other."""
    fields = {field.name.lower(): field for field in present.fields}
    for field in wanted.fields:
        before = fields.get(field.name.lower())
        if before is None:
            continue
        if before.name != field.name:  # engines that ignore case would see one column twice
            yield path + before.name, f'spelt "{before.name}"', f'"{field.name}"'
        yield from _type_conflicts(before.field_type, field.field_type, path + field.name)


def _type_conflicts(present: IcebergType, wanted: IcebergType, path: str) -> Iterator[tuple[str, str, str]]:
    match present, wanted:
        case StructType(), StructType():
            yield from _conflicts(present, wanted, f"{path}.")
        case ListType(), ListType():
            yield from _type_conflicts(present.element_type, wanted.element_type, f"{path}.element")
        case PrimitiveType(), PrimitiveType() if _promotes(present, wanted) or _promotes(wanted, present):
            return
        case _:
            yield path, str(present), str(wanted)


def _promotes(narrow: PrimitiveType, wide: PrimitiveType) -> bool:
    if isinstance(narrow, DecimalType) and isinstance(wide, DecimalType):  # pyiceberg lets the scale change
        return narrow.scale == wide.scale and narrow.precision <= wide.precision
    if narrow == wide:  # which promote() does not take
        return True
    try:
        promote(narrow, wide)
    except ResolveError:
        return False
    return True
