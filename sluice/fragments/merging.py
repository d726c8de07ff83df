"""Makes one fragment of several, from their files: what parsing all of their objects at once would have come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.fragments.piece import Piece, rows_of, without
from sluice.fragments.superseding import find_losses, key_rows, parquet, remaining_rows, write_remaining
from sluice.sql_types import quote_literal
from sluice.transform.key_file import LATEST, PLACE, copy_keys, key_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from sluice.contract import Contract
    from sluice.fragments.superseding import Loss


def merge(
    connection: DuckDBPyConnection, contract: Contract, partition: str, pieces: Sequence[Piece], folder: Path
) -> Piece:
    """Write the new fragment's files to `folder`."""
    folder.mkdir()
    losses = find_losses(connection, contract, pieces)
    published = _merge_rows(connection, contract, partition, pieces, losses, folder / "published.parquet")
    keys = _merge_keys(connection, contract, pieces, losses, folder / "keys.parquet")
    quarantine = _merge_quarantine(connection, pieces, folder / "quarantine.parquet")
    objects = sorted(
        (
            without(item, loss.lost.get(number, 0))
            for piece, loss in zip(pieces, losses, strict=True)
            for number, item in enumerate(piece.objects)
        ),
        key=lambda item: item.key,
    )
    return Piece(
        objects=tuple(objects),
        published=str(published) if published else None,
        keys=str(keys) if keys else None,
        quarantine=str(quarantine) if quarantine else None,
        keyed=rows_of(keys) if keys else 0,
        size_bytes=published.stat().st_size if published else 0,
        reasons=tuple(item for piece in pieces for item in piece.reasons),
        drift=tuple(item for piece in pieces for item in piece.drift),
        unknown_fields=tuple({name for piece in pieces for name in piece.unknown_fields}),
    )


def _merge_rows(
    connection: DuckDBPyConnection,
    contract: Contract,
    partition: str,
    pieces: Sequence[Piece],
    losses: Sequence[Loss],
    target: Path,
) -> Path | None:
    rows = [
        f"({remaining_rows(contract, place, piece, loses=bool(losses[place].lost))})"
        for place, piece in enumerate(pieces)
        if piece.published
    ]
    if not rows:
        return None
    write_remaining(connection, contract, partition, " UNION ALL BY NAME ".join(rows), target)
    return target


def _merge_keys(
    connection: DuckDBPyConnection, contract: Contract, pieces: Sequence[Piece], losses: Sequence[Loss], target: Path
) -> Path | None:
    """Number the objects anew: among all that are one fragment now."""
    rows = [f"({key_rows(place, piece)})" for place, piece in enumerate(pieces) if piece.keys]
    if not rows:
        return None
    keys, (obj, line_no) = ", ".join(key_columns(contract)), PLACE
    kept = f"ANTI JOIN lost USING (piece, {obj}, {line_no})" if any(loss.lost for loss in losses) else ""
    copy_keys(
        connection,
        f"SELECT {keys}, {LATEST}, number AS {obj}, {line_no} FROM ({' UNION ALL '.join(rows)}) {kept} "
        f"JOIN places USING (piece, {obj})",
        target,
    )
    return target


def _merge_quarantine(connection: DuckDBPyConnection, pieces: Sequence[Piece], target: Path) -> Path | None:
    files = [piece.quarantine for piece in pieces if piece.quarantine]
    if not files:
        return None
    connection.execute(
        f"COPY (FROM {parquet(*files)}) TO {quote_literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"
    )
    return target
