"""What a dataset may be called: a name that is safe as folder, table, asset key and in unquoted SQL."""

from __future__ import annotations

import re

from sluice.contract_file.place import Problem

MAX_LENGTH = 60
_NAME = re.compile("[a-z][a-z0-9_]*")

# Reserved by DuckDB 2.0 (duckdb_keywords()) or by Athena in queries or table definitions.
_RESERVED = frozenset(
    """
    all alter analyse analyze and any array as asc asymmetric authorization between bigint binary boolean both by case
    cast char check collate column commit conf constraint create cross cube current current_date current_time
    current_timestamp current_user cursor database date deallocate decimal default deferrable delete desc describe
    distinct do double drop else end escape except exchange exclusive execute exists extended extract external false
    fetch float following for foreign from full function grant group grouping having if import in initially inner
    insert int integer intersect interval into is join lambda lateral leading left less like limit local localtime
    localtimestamp macro map more natural none normalize not null of offset on only or order out outer over
    partialscan partition percent pivot pivot_longer pivot_wider placing preceding precision prepare preserve primary
    procedure qualify range reads recursive reduce references regexp returning revoke right rlike rollback rollup row
    rows select set show skip smallint some start summarize symmetric table tablesample then time timestamp to trailing
    transform trigger true truncate unbounded union unique uniquejoin unnest unpivot update user using utc_timestamp
    values varchar variadic views when where window with
    """.split()  # noqa: SIM905 - 150 quoted words read worse
)


def name_problem(name: str) -> Problem | None:
    """Say what is wrong with `name` as a dataset, or None."""
    if not _NAME.fullmatch(name):
        return Problem(
            f'"{name}" is not a dataset name.', "Use small letters, digits and _, beginning with a letter: web_orders."
        )
    if len(name) > MAX_LENGTH:
        return Problem(f"has {len(name)} characters.", f"Use at most {MAX_LENGTH}.")
    if name in _RESERVED:
        return Problem(
            f'"{name}" is a word of SQL, so queries would fail on it.', f'Choose another, such as "web_{name}".'
        )
    return None
