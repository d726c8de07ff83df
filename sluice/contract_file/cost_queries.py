"""The reference queries of the contract's `cost`: what consumers ask, and what that may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract_file.cost_limit import positive
from sluice.contract_file.size import read_bytes
from sluice.cost.reference_query import table_scans
from sluice.cost.rules import ReferenceQuery
from sluice.errors import ReferenceQueryInvalid, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.contract import Column
    from sluice.contract_file.place import Place

_FIELDS = ("name", "sql", "max_usd", "max_bytes")
_ANY_DATE = "2026-01-31"


def read_queries(value: object, place: Place, dataset: str, columns: Sequence[Column]) -> tuple[ReferenceQuery, ...]:
    """Return the queries that can be priced; every other is refused."""
    if value is None:
        return ()
    if not isinstance(value, list):
        place.refuse("must be a list.", 'Begin each query on a line of its own with "- ".')
        return ()
    queries = [_query(item, place[index], dataset, columns) for index, item in enumerate(value)]
    found = [query for query in queries if query is not None]
    _refuse_repeated_names(found, place)
    return tuple(found)


def _query(value: object, place: Place, dataset: str, columns: Sequence[Column]) -> ReferenceQuery | None:
    if not isinstance(value, dict):
        place.refuse("must hold fields of its own.", f"Known: {', '.join(_FIELDS)}.")
        return None
    for name in value:
        if name not in _FIELDS:
            place[name].refuse("is not a field here.", did_you_mean(name, _FIELDS))
    name, sql = _text(value.get("name"), place["name"]), _text(value.get("sql"), place["sql"])
    if sql is not None:
        _check_sql(sql, place["sql"], dataset, columns)
    if value.get("max_usd") is None and value.get("max_bytes") is None:
        place.refuse("has no limit.", "Add max_usd or max_bytes.")
    if name is None or sql is None:
        return None
    return ReferenceQuery(name, sql, _max_usd(value, place["max_usd"]), _max_bytes(value, place["max_bytes"]))


def _text(value: object, place: Place) -> str | None:
    if isinstance(value, str) and value.strip():
        return value.strip()
    place.refuse("is missing or no text.", "Write text.")
    return None


def _check_sql(sql: str, place: Place, dataset: str, columns: Sequence[Column]) -> None:
    """Conditions are run on one date, too: DuckDB is to know every function in them."""
    try:
        for reading in table_scans(sql, dataset, columns, _ANY_DATE):
            reading.partitions([_ANY_DATE])
    except ReferenceQueryInvalid as error:
        place.refuse(error.problem, error.cure)


def _max_usd(value: dict[str, object], place: Place) -> float | None:
    if value.get("max_usd") is None:
        return None
    found = positive(value["max_usd"], place, "Write dollars above 0, such as 0.001.")
    return None if found is None else float(found)


def _max_bytes(value: dict[str, object], place: Place) -> int | None:
    return None if value.get("max_bytes") is None else read_bytes(value["max_bytes"], place, 0)


def _refuse_repeated_names(queries: Sequence[ReferenceQuery], place: Place) -> None:
    names = [query.name.lower() for query in queries]
    for index, name in enumerate(names):
        if name in names[:index]:
            place[index]["name"].refuse(f'"{queries[index].name}" is taken.', "Choose another name.")
