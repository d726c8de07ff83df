"""Which winners of a fragment lose to those of another: only keys are compared, and only files that lose rows are read.

The order is total (order column, object, line), so the winner among the winners is the winner among all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from sluice.sql_types import quote_identifier, quote_literal
from sluice.transform import write_rows
from sluice.transform.key_file import LATEST, PLACE, key_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from sluice.contract import Contract
    from sluice.fragments.piece import Piece

_OBJ, _LINE_NO = PLACE


@dataclass(frozen=True, slots=True)
class Loss:
    """What one piece loses to the others: records by object; `digest` says exactly which ones."""

    lost: Mapping[int, int] = field(default_factory=dict)
    digest: str = ""


def find_losses(connection: DuckDBPyConnection, contract: Contract, pieces: Sequence[Piece]) -> tuple[Loss, ...]:
    """Return what each piece loses, and leave the records in the temporary table `lost`."""
    keyed = [place for place, piece in enumerate(pieces) if piece.keys]
    number_objects(connection, pieces)
    if len(keyed) < 2:  # noqa: PLR2004  one has nobody to lose to
        return tuple(Loss() for _ in pieces)
    _fill_candidates(connection, contract, pieces, keyed)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE lost AS {_lost(contract)}")
    counts = connection.execute(f"SELECT piece, {_OBJ}, count(*) FROM lost GROUP BY ALL").fetchall()
    digests = connection.execute(
        f"SELECT piece, count(*), bit_xor(md5_number(concat({_OBJ}, ':', {_LINE_NO}))) FROM lost GROUP BY ALL"
    ).fetchall()
    digest_of = {place: f"{count}-{digest:032x}" for place, count, digest in digests}
    return tuple(
        Loss({obj: count for found, obj, count in counts if found == place}, digest_of.get(place, ""))
        for place in range(len(pieces))
    )


def number_objects(connection: DuckDBPyConnection, pieces: Sequence[Piece]) -> None:
    """Fill `places` with every object's number in the order of keys, by which ties are broken."""
    all_objects = [
        (item.key, place, obj) for place, piece in enumerate(pieces) for obj, item in enumerate(piece.objects)
    ]
    numbered = sorted(all_objects)
    table = pa.table(
        {
            "piece": pa.array([place for _, place, _ in numbered], pa.int32()),
            _OBJ: pa.array([obj for *_, obj in numbered], pa.int32()),
            "number": pa.array(range(len(numbered)), pa.int32()),
        }
    )
    connection.register("numbered", table)
    connection.execute("CREATE OR REPLACE TEMP TABLE places AS FROM numbered")
    connection.unregister("numbered")


def write_remaining(
    connection: DuckDBPyConnection, contract: Contract, partition: str, rows: str, target: Path
) -> None:
    write_rows(connection, contract, partition, f"({rows})", target)


def remaining_rows(contract: Contract, place: int, piece: Piece, *, loses: bool) -> str:
    """Return the query for the rows of a piece that `lost` does not name; a row without a whole key is never named."""
    assert piece.published is not None  # noqa: S101  callers ask pieces with rows
    rows = f"SELECT * FROM {parquet(piece.published)}"
    if not loses:
        return rows
    names = [quote_identifier(name) for name in contract.primary_key]
    keys = ", ".join(f"{key} AS {name}" for name, key in zip(names, key_columns(contract), strict=True))
    return f"{rows} ANTI JOIN (SELECT {keys} FROM lost WHERE piece = {place}) USING ({', '.join(names)})"


def key_rows(place: int, piece: Piece) -> str:
    assert piece.keys is not None  # noqa: S101  callers ask pieces with keys
    return f"SELECT {place}::INTEGER AS piece, * FROM {parquet(piece.keys)}"


def parquet(*paths: str) -> str:
    """Return the files as a relation; they lie below `date=...`, which DuckDB would take for a column."""
    return f"read_parquet([{', '.join(quote_literal(path) for path in paths)}], hive_partitioning = false)"


def _fill_candidates(
    connection: DuckDBPyConnection, contract: Contract, pieces: Sequence[Piece], keyed: Sequence[int]
) -> None:
    """Keep all keys but those that the largest piece alone has: mostly, that is nearly all of them."""
    largest = max(keyed, key=lambda place: pieces[place].keyed)
    others = " UNION ALL ".join(key_rows(place, pieces[place]) for place in keyed if place != largest)
    keys = ", ".join(key_columns(contract))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE candidates AS {others}")
    connection.execute(
        f"INSERT INTO candidates BY NAME SELECT * FROM ({key_rows(largest, pieces[largest])}) "
        f"SEMI JOIN (SELECT {keys} FROM candidates) USING ({keys})"
    )


def _lost(contract: Contract) -> str:
    keys = ", ".join(key_columns(contract))
    return f"""
        SELECT piece, {_OBJ}, {_LINE_NO}, {keys} FROM (
            SELECT *, row_number() OVER (
                PARTITION BY {keys} ORDER BY {LATEST} DESC NULLS LAST, number DESC, {_LINE_NO} DESC
            ) AS place
            FROM candidates
            SEMI JOIN (SELECT {keys} FROM candidates GROUP BY ALL HAVING count(*) > 1) USING ({keys})
            JOIN places USING (piece, {_OBJ})
        ) WHERE place > 1"""
