"""Brings what is staged and recorded of published partitions in line with the files that their table shows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pipeline_assets.asset_specs import Zone
from sluice.maintenance.relisting import relisted
from sluice.outcome import OUTCOME_NAME, Outcome
from sluice.rewinding import NOTHING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pipeline_assets.ports import Ledger, SweptStore
    from sluice.history import Published
    from sluice.maintenance.table_state import TableFile, TableState
    from sluice.version import Version

    Place = tuple[str, str, Version]


@dataclass(frozen=True, slots=True)
class Relisting:
    store: SweptStore
    ledger: Ledger
    scratch: Path

    def relist(self, state: TableState, lost: Collection[str]) -> tuple[str, ...]:
        """Return the partitions that needed it; those in `lost` are left alone, for their files are gone."""
        files: dict[str, list[TableFile]] = defaultdict(list)
        for file in state.files:
            files[file.partition].append(file)
        recorded = {item.outcome.partition: item for item in self.ledger.all_published(state.dataset)}
        return tuple(
            partition
            for partition, held in state.held.items()
            if partition not in lost
            and held.version != NOTHING
            and self._one((state.dataset, partition, held.version), files[partition], recorded.get(partition))
        )

    def _one(self, place: Place, shown: Sequence[TableFile], known: Published | None) -> bool:
        """The staged outcome first, then the ledger: whoever is killed between the two finds the ledger behind."""
        dataset, partition, version = place
        if known is not None and known.outcome.version != version:
            return False  # somebody is publishing or rewinding just now, or was killed at it: the next run records it
        key = f"{Zone.PROCESSED}/{dataset}/date={partition}/{version}/{OUTCOME_NAME}"
        staged = _read(self.store, key)
        outcome = staged or (known.outcome if known else None)
        if outcome is None:
            return False
        right = relisted(outcome, shown) or outcome
        if right != staged:
            _put(self.store, key, right, self.scratch)
            self._forget_profiles(key.removesuffix(OUTCOME_NAME))
        amended = relisted(known.outcome, shown) if known else None
        if known is not None and amended is not None:
            self.ledger.amend(known, replace(known, outcome=amended))
        return right != staged or amended is not None

    def _forget_profiles(self, folder: str) -> None:
        """They tell of the files of before, and are measured anew when somebody asks."""
        for item in self.store.everything(f"{folder}_profile-"):
            self.store.remove(item.key)


def _read(store: SweptStore, key: str) -> Outcome | None:
    try:
        with store.open(key) as opened:
            return Outcome.model_validate_json(opened.read())
    except (FileNotFoundError, ValidationError):  # withdrawn, or cut off by a disk: it is written anew
        return None


def _put(store: SweptStore, key: str, outcome: Outcome, scratch: Path) -> None:
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch, prefix="relisting-") as folder:
        written = Path(folder) / OUTCOME_NAME
        written.write_text(outcome.model_dump_json(indent=1))
        store.put(key, written)
