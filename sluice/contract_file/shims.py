"""The shims of a column: its sluice entry in the property's customProperties."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as Number
from typing import TYPE_CHECKING

from sluice.contract import Column, Shim
from sluice.contract_file.datatype import is_scalar
from sluice.contract_file.settings import is_ours
from sluice.datatypes import Boolean, Decimal, Double, Integer
from sluice.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from open_data_contract_standard.model import SchemaProperty

    from sluice.contract_file.place import Place
    from sluice.datatypes import DataType

_FIELDS = ("also_called", "default", "cast")


def with_shim(column: Column, declared: SchemaProperty, place: Place) -> Column:
    """Return the column with its shim; `place` is that of the property."""
    found = next(_entries(declared, place), None)
    if found is None:
        return column
    written, here = found
    if not isinstance(written, dict) or not written:
        here.refuse("must hold settings.", f"Known: {', '.join(_FIELDS)}.")
        return column
    for name in sorted(written.keys() - set(_FIELDS)):
        here[name].refuse("is not a field here.", did_you_mean(name, _FIELDS))
    shim = Shim(
        _also_called(written.get("also_called", []), column.name, here["also_called"]),
        _default(written["default"], column, declared, here["default"]) if "default" in written else None,
        _cast(written.get("cast", False), column.type, here["cast"]),
    )
    return replace(column, shim=shim)


def refuse_shims(properties: Sequence[SchemaProperty], place: Place) -> None:
    """The rows of a query are as the query makes them."""
    for index, declared in enumerate(properties):
        for _, here in _entries(declared, place[index]):
            here.refuse("is about landed files, but this dataset is a transform.sql.", "Write it in the query.")


def refuse_nested_shims(declared: SchemaProperty, place: Place) -> None:
    """Whole columns have shims, what is inside them has none."""
    inside = [(member, place["properties"][index]) for index, member in enumerate(declared.properties or ())]
    if declared.items is not None:
        inside.append((declared.items, place["items"]))
    for member, there in inside:
        for _, here in _entries(member, there):
            here.refuse("is not read inside objects and arrays.", "Leave it out, or make the value a column.")
        refuse_nested_shims(member, there)


def refuse_taken_names(columns: Sequence[Column | None], properties: Sequence[SchemaProperty], place: Place) -> None:
    """A field of the files belongs to one column."""
    taken = {declared.name for declared in properties}
    for index, column in enumerate(columns):
        for name in column.shim.also_called if column else ():
            if name in taken:
                for _, here in _entries(properties[index], place[index]):
                    here["also_called"].refuse(f'"{name}" belongs to another column.', "Remove it from one of the two.")
            taken.add(name)


def _entries(declared: SchemaProperty, place: Place) -> Iterator[tuple[object, Place]]:
    here = place["customProperties"]
    ours = [(item.value, here[i]) for i, item in enumerate(declared.customProperties or ()) if is_ours(item, here[i])]
    for _, second in ours[1:]:
        second.refuse("is a second entry for sluice.", "Put all settings into one entry.")
    yield from ((value, at["value"]) for value, at in ours[:1])


def _also_called(written: object, name: str, place: Place) -> tuple[str, ...]:
    names = written if isinstance(written, list) else [written]
    fitting = [item for item in names if isinstance(item, str) and item and item.isprintable() and item != name]
    if len(fitting) != len(names) or len(set(fitting)) != len(fitting):
        place.refuse("is no list of other names.", "Write each other name of the field once: [old_name].")
    return tuple(fitting)


def _cast(written: object, datatype: DataType, place: Place) -> bool:
    if not isinstance(written, bool):
        place.refuse("must be true or false.", "Write cast: true, or leave it out.")
    elif written and not is_scalar(datatype):
        place.refuse("works for plain columns only.", "Leave it out.")
    return written is True


def _default(written: object, column: Column, declared: SchemaProperty, place: Place) -> str | None:
    if declared.primaryKey or not is_scalar(column.type):
        place.refuse("is for plain columns that are no part of the key.", "Leave it out.")
        return None
    text = _text(written, column.type)
    if text is None:
        place.refuse(f"is no {declared.logicalType}.", "Write a value of the column's type; put text between quotes.")
    elif (code := _fault(column, text)) is not None:
        place.refuse(f'is "{text}", which the column does not take ({code}).', "Write a value that its rules allow.")
    return text


def _text(written: object, datatype: DataType) -> str | None:
    """Return the value as a file would hold it, None if it is not written as the type is."""
    match datatype:
        case Boolean():
            return str(written).lower() if isinstance(written, bool) else None
        case Integer() | Decimal() | Double():
            is_number = isinstance(written, int | Number) and not isinstance(written, bool)
            return format(written, "f" if isinstance(written, Number) else "d") if is_number else None
        case _:
            return written if isinstance(written, str) else None


def _fault(column: Column, text: str) -> str | None:
    """Return why a record that held this value would be rejected, by the SQL that rejects records."""
    import duckdb

    from sluice.sql_types import quote_identifier, quote_literal
    from sluice.transform.column_sql import RAW, column_sql  # loads pyarrow: few contracts have a default

    sql, name = column_sql(column, is_json=False), quote_identifier(column.name)
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(f"CREATE TABLE raw AS SELECT struct_pack({name} := {quote_literal(text)}) AS {RAW}")
        engine.execute(f"CREATE TABLE typed AS SELECT *, {sql.value} AS {name} FROM raw")
        found = " UNION ALL ".join(f"SELECT {fault.code} FROM typed WHERE {fault.condition}" for fault in sql.faults)
        try:
            row = engine.execute(found).fetchone() if found else None
        except duckdb.Error:  # the column's pattern is no regular expression: whoever reads patterns says so
            return None
    return str(row[0]) if row else None
