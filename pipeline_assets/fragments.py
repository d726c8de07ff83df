"""Builds a partition from fragments: earlier ones where they hold, and one more for all objects that are left."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline_assets.asset_specs import Zone
from pipeline_assets.local_files import paths_of
from pipeline_assets.staged_folder import put_file
from sluice.duckdb_sessions import Limits, connect
from sluice.fragments.merge_plan import MergeRules, plan_merge
from sluice.fragments.merging import merge
from sluice.fragments.piece import new_piece, old_piece, rows_of, without
from sluice.fragments.superseding import Loss, find_losses, remaining_rows, write_remaining
from sluice.manifest import build_manifest
from sluice.outcome import Fragment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from pipeline_assets.fragment_reuse import Reuse
    from pipeline_assets.ports import Store
    from pipeline_assets.staged_folder import Place
    from sluice.contract import Contract
    from sluice.fragments.piece import Piece
    from sluice.manifest import Manifest
    from sluice.outcome import FieldDrift, ObjectBalance, ReasonCount, StagedFile
    from sluice.transform import Transformed

MERGE_RULES = MergeRules()
_NOTHING_LOST = Loss()


@dataclass(frozen=True, slots=True)
class Part:
    """A piece, what it loses to the others, and the new local file that lacks what is lost, if it had to be written."""

    piece: Piece
    loss: Loss = _NOTHING_LOST
    rewritten: Path | None = None


@dataclass(frozen=True, slots=True)
class Assembled:
    """A partition in parts."""

    parts: tuple[Part, ...]
    objects_parsed: int

    @property
    def quarantine(self) -> tuple[str, ...]:
        return tuple(part.piece.quarantine for part in self.parts if part.piece.quarantine)

    @property
    def objects(self) -> tuple[ObjectBalance, ...]:
        """Every object's balance in the whole partition, in the order of their keys."""
        found = (
            without(item, part.loss.lost.get(number, 0))
            for part in self.parts
            for number, item in enumerate(part.piece.objects)
        )
        return tuple(sorted(found, key=lambda item: item.key))

    @property
    def reasons(self) -> tuple[ReasonCount, ...]:
        found = chain.from_iterable(part.piece.reasons for part in self.parts)
        return tuple(sorted(found, key=lambda item: (item.key, item.code, item.column or "")))

    @property
    def drift(self) -> tuple[FieldDrift, ...]:
        """By object; each keeps the order in which its own were found."""
        return tuple(sorted(chain.from_iterable(part.piece.drift for part in self.parts), key=lambda item: item.key))

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        return tuple(sorted({name for part in self.parts for name in part.piece.unknown_fields}))


def assemble(
    contract: Contract,
    manifest: Manifest,
    reuse: Reuse,
    parse: Callable[[Manifest], Transformed],
    store: Store,
    workspace: Path,
    rules: MergeRules = MERGE_RULES,
) -> Assembled:
    """Parse what is left, merge small fragments, and drop what records of other fragments supersede."""
    path_of = paths_of(store, workspace)
    pieces = [old_piece(reuse.outcome, item, path_of) for item in reuse.fragments if reuse.outcome is not None]
    if reuse.rest or not pieces:
        pieces.append(new_piece(parse(build_manifest(manifest.dataset, manifest.partition, reuse.rest))))
    if len(pieces) == 1:
        return Assembled((Part(pieces[0]),), len(reuse.rest))
    with closing(connect(workspace, Limits())) as connection:
        pieces = _merged(connection, contract, manifest.partition, pieces, workspace, rules)
        losses = find_losses(connection, contract, pieces)
        parts = [
            Part(piece, loss, _rewrite(connection, contract, manifest.partition, place, piece, loss, workspace))
            for place, (piece, loss) in enumerate(zip(pieces, losses, strict=True))
        ]
    return Assembled(tuple(parts), len(reuse.rest))


def put_fragments(assembled: Assembled, place: Place, store: Store) -> tuple[Fragment, ...]:
    """Store the files that are new, and return all fragments as an outcome lists them."""
    numbers = {item.key: number for number, item in enumerate(assembled.objects)}
    return tuple(
        _put_fragment(part, f"{number:05}", numbers, place, store) for number, part in enumerate(assembled.parts)
    )


def _merged(
    connection: DuckDBPyConnection,
    contract: Contract,
    partition: str,
    pieces: Sequence[Piece],
    workspace: Path,
    rules: MergeRules,
) -> list[Piece]:
    chosen = plan_merge([piece.size_bytes for piece in pieces], rules)
    if not chosen:
        return list(pieces)
    merged = merge(connection, contract, partition, [pieces[place] for place in chosen], workspace / "merged")
    return [*(piece for place, piece in enumerate(pieces) if place not in chosen), merged]


def _rewrite(
    connection: DuckDBPyConnection,
    contract: Contract,
    partition: str,
    place: int,
    piece: Piece,
    loss: Loss,
    workspace: Path,
) -> Path | None:
    """Write the rows that a piece keeps, unless it loses none, or just those that it lost in the earlier outcome."""
    if not loss.lost or (piece.taken_over is not None and piece.taken_over.lost_digest == loss.digest):
        return None
    target = workspace / f"remaining-{place}.parquet"
    write_remaining(connection, contract, partition, remaining_rows(contract, place, piece, loses=True), target)
    return target


def _put_fragment(part: Part, name: str, numbers: Mapping[str, int], place: Place, store: Store) -> Fragment:
    piece, loss = part.piece, part.loss
    objects = tuple(numbers[item.key] for item in piece.objects)
    staged = piece.taken_over or _put_piece(piece, name, place, store)
    shown = staged.shown if loss.lost else None
    if part.rewritten is not None:
        rows = rows_of(part.rewritten)
        shown = put_file(part.rewritten, rows, Zone.PROCESSED, place, store, name=f"part-{name}")
    return staged.model_copy(
        update={
            "objects": objects,
            "lost": {objects[number]: records for number, records in loss.lost.items()},
            "lost_digest": loss.digest,
            "shown": shown,
        }
    )


def _put_piece(piece: Piece, name: str, place: Place, store: Store) -> Fragment:
    def put(path: str | None, zone: Zone, prefix: str) -> StagedFile | None:
        file = Path(path) if path else None
        return put_file(file, rows_of(file) if file else 0, zone, place, store, name=f"{prefix}-{name}")

    return Fragment(
        objects=(),
        file=put(piece.published, Zone.PROCESSED, "part"),
        keys=put(piece.keys, Zone.PROCESSED, "keys"),
        quarantine=put(piece.quarantine, Zone.QUARANTINE, "part"),
        unknown_fields=tuple(sorted(piece.unknown_fields)),
    )
