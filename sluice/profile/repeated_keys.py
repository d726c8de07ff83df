"""How many records repeat a primary key: nearly always none, so that is proved first, and cheaply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.meeting_hashes import SLICE_RECORDS, meeting_hashes
from sluice.profile.staged_rows import STAGED
from sluice.sql_types import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

Cell = str | int | float | None
Row = dict[str, Cell]

_SAMPLE_ROWS = 10


def repeated_keys(
    connection: DuckDBPyConnection, key: Sequence[str], records: int, slice_records: int = SLICE_RECORDS
) -> tuple[int, tuple[Row, ...]]:
    """Return the records beyond the first of each key, and keys that are repeated.

    Only when hashes meet, keys are grouped.
    """
    names = ", ".join(quote_identifier(name) for name in key)
    found = meeting_hashes(connection, f"hash({names})", STAGED, records, slice_records)
    return _grouped(connection, key, names) if any(len(hashes) for hashes in found) else (0, ())


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
