"""The columns of a contract and its primary key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from sluice.contract import PARTITION_COLUMN, Column, FileFormat
from sluice.contract_file.datatype import is_scalar, read_datatype
from sluice.contract_file.rules import check_options, read_rules
from sluice.contract_file.shims import refuse_nested_shims, refuse_taken_names, with_shim
from sluice.datatypes import ListOf, Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from open_data_contract_standard.model import SchemaProperty

    from sluice.contract_file.place import Place

_RESERVED_PREFIX = "_sluice"


def read_columns(properties: Sequence[SchemaProperty], place: Place) -> tuple[Column, ...]:
    """Return the columns that could be read; `place` is that of the list of properties."""
    columns = [_column(declared, place[index]) for index, declared in enumerate(properties)]
    _refuse_repeated_names(properties, place, set())
    _check_patterns(columns, place)
    refuse_taken_names(columns, properties, place)
    return tuple(column for column in columns if column is not None)


def read_primary_key(properties: Sequence[SchemaProperty], place: Place) -> tuple[str, ...]:
    """Return the key's columns by primaryKeyPosition, or in the order they are written in."""
    positions: dict[int, str] = {}
    names: list[str] = []
    for index, declared in enumerate(properties):
        position = declared.primaryKeyPosition
        here = place[index]["primaryKeyPosition"]
        if position in {None, -1}:  # -1 is the standard's default
            position = None
        elif not declared.primaryKey:
            here.refuse("is given without primaryKey: true.", "Add primaryKey: true, or remove the position.")
        elif position < 1 or position in positions:
            here.refuse(f"is {position}, which is taken or below 1.", "Number the key's columns 1, 2, ...")
        if declared.primaryKey and declared.name:
            names.append(declared.name)
            if position is not None:
                positions[position] = declared.name
    return _in_order(names, positions, place)


def refuse_nested(columns: Sequence[Column], properties: Sequence[SchemaProperty], place: Place) -> None:
    """CSV has no nested values."""
    nested = {column.name for column in columns if isinstance(column.type, Struct | ListOf)}
    for index, declared in enumerate(properties):
        if declared.name in nested:
            place[index]["logicalType"].refuse(
                f"is {declared.logicalType} with declared parts, which {FileFormat.CSV} cannot hold.",
                "Remove properties or items to keep the value as JSON text.",
            )


def _in_order(names: list[str], positions: dict[int, str], place: Place) -> tuple[str, ...]:
    if positions and len(positions) != len(names):
        without = sorted(set(names) - set(positions.values()))
        place.refuse(
            f"has primaryKeyPosition on some columns of the key, but not on {', '.join(without)}.",
            "Give all columns of the key a position of their own, or none.",
        )
    return tuple(name for _, name in sorted(positions.items())) if positions else tuple(names)


def _column(declared: SchemaProperty, place: Place) -> Column | None:
    found = len(place.problems)
    _check_name(declared, place)
    _refuse_unread(declared, place)
    check_options(declared, place)
    datatype = read_datatype(declared, place)
    if datatype is None:
        return None
    _check_key_or_unique(declared, place, scalar=is_scalar(datatype))
    refuse_nested_shims(declared, place)
    rules = read_rules(declared, datatype, place)
    if len(place.problems) > found or declared.name is None:
        return None
    column = Column(
        name=declared.name,
        type=datatype,
        required=bool(declared.required),
        unique=bool(declared.unique),
        rules=rules,
        description=declared.description or "",
        classification=declared.classification,
        member_classifications=tuple(dict.fromkeys(_classifications_inside(declared))),
        tags=tuple(declared.tags or ()),
    )
    return with_shim(column, declared, place)


def _classifications_inside(declared: SchemaProperty) -> Iterator[str]:
    for member in (*(declared.properties or ()), *([declared.items] if declared.items else ())):
        if member.classification:
            yield member.classification
        yield from _classifications_inside(member)


def _check_name(declared: SchemaProperty, place: Place) -> None:
    here = place["name"]
    if not declared.name:
        here.refuse("is missing.", "Name the property as the column is called in the files.")
    elif declared.name.lower() == PARTITION_COLUMN:
        here.refuse(f'"{declared.name}" is the column that Sluice adds for the partition.', "Choose another name.")
    elif declared.name.lower().startswith(_RESERVED_PREFIX):
        here.refuse(f'"{declared.name}" begins with {_RESERVED_PREFIX}.', "Choose another name; these are Sluice's.")
    elif not declared.name.isprintable():
        here.refuse("holds a character that cannot be printed.", "Choose another name.")


def _refuse_unread(declared: SchemaProperty, place: Place) -> None:
    """Fields that would change what people get, if Sluice did as they say."""
    if declared.physicalName not in {None, declared.name}:
        place["physicalName"].refuse(
            "differs from name, but files, table and contract share one name.", "Leave it out, or rename the property."
        )
    if declared.partitioned:
        place["partitioned"].refuse(
            "is not read: every table is partitioned by the date of its files.", "Leave it out."
        )


def _check_key_or_unique(declared: SchemaProperty, place: Place, *, scalar: bool) -> None:
    for name in ("primaryKey", "unique"):
        if getattr(declared, name) and not scalar:
            place[name].refuse(f"does not work with logicalType {declared.logicalType}.", "Choose a plain column.")
    if declared.primaryKey and not declared.required:
        place["primaryKey"].refuse(
            "is set on a column that may be empty.",
            "Add required: true; a record without its key cannot be told apart.",
        )


def _refuse_repeated_names(
    properties: Sequence[SchemaProperty], place: Place, seen: set[str], inside: str = ""
) -> None:
    """Athena ignores case, and Iceberg calls a member `shipping.city`: neither may be ambiguous."""
    for index, declared in enumerate(properties):
        name, here = f"{inside}{declared.name}".lower(), place[index]
        if declared.name and name in seen:
            here["name"].refuse(
                f'"{declared.name}" is taken; upper and lower case count as the same.', "Choose another name."
            )
        seen.add(name)
        inner = declared
        while inner.items is not None:
            inner, here, name = inner.items, here["items"], f"{name}.element"
        _refuse_repeated_names(inner.properties or (), here["properties"], seen, f"{name}.")


def _check_patterns(columns: Sequence[Column | None], place: Place) -> None:
    """DuckDB judges the records, so it judges the pattern: RE2 has no look-around and no back-references."""
    patterns = {i: c.rules.pattern for i, c in enumerate(columns) if c is not None and c.rules.pattern is not None}
    if not patterns:
        return
    with duckdb.connect() as engine:
        for index, pattern in patterns.items():
            try:
                engine.execute("SELECT regexp_matches('', ?)", [pattern])
            except duckdb.Error as error:
                place[index]["logicalTypeOptions"]["pattern"].refuse(
                    f'"{pattern}" is no regular expression ({str(error).removeprefix("Invalid Input Error: ")}).',
                    "Patterns are RE2: no look-ahead, no look-behind, no back-references.",
                )
