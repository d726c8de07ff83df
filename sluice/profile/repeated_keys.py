"""How many records repeat a primary key: nearly always none, so that is proved first, and cheaply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.profile.staged_rows import STAGED
from sluice.sql_types import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

Cell = str | int | float | None
Row = dict[str, Cell]

SLICE_RECORDS = 16_000_000
"""Hashes sorted at a time, in 8 bytes each; larger partitions are read several times, and memory stays the same."""

_SAMPLE_ROWS = 10


def repeated_keys(
    connection: DuckDBPyConnection, key: Sequence[str], records: int, slice_records: int = SLICE_RECORDS
) -> tuple[int, tuple[Row, ...]]:
    """Return the records beyond the first of each key, and keys that are repeated.

    Equal keys have equal hashes, so different hashes prove different keys. Only when hashes meet, keys are grouped:
    sorting the hashes takes a fifth of the CPU of grouping ten million keys.
    """
    names = ", ".join(quote_identifier(name) for name in key)
    slices = -(-records // slice_records)
    if not any(_hashes_meet(connection, names, number, slices) for number in range(slices)):
        return 0, ()
    return _grouped(connection, key, names)


def _hashes_meet(connection: DuckDBPyConnection, names: str, number: int, slices: int) -> bool:
    part = f"WHERE hash({names}) % {slices} = {number}" if slices > 1 else ""
    hashes = connection.execute(f"SELECT hash({names}) AS hashed FROM {STAGED} {part}").fetchnumpy()["hashed"]
    hashes.sort()
    return bool((hashes[1:] == hashes[:-1]).any())


def _grouped(connection: DuckDBPyConnection, key: Sequence[str], names: str) -> tuple[int, tuple[Row, ...]]:
    repeated = f"SELECT {names}, count(*) AS records FROM {STAGED} GROUP BY ALL HAVING count(*) > 1"
    connection.execute(f"CREATE TEMP TABLE repeated AS {repeated}")
    total = connection.execute("SELECT coalesce(sum(records - 1), 0) FROM repeated").fetchall()[0][0]
    sample = connection.execute(f"SELECT * FROM repeated ORDER BY ALL LIMIT {_SAMPLE_ROWS}").fetchall()
    return int(total), tuple(
        {name: _cell(value) for name, value in zip([*key, "records"], row, strict=True)} for row in sample
    )


def _cell(value: object) -> Cell:
    return value if isinstance(value, str | int | float) or value is None else str(value)
