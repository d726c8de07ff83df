"""The list of files that nothing refers to, with the moment since; one writer at a time wins its next generation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_assets.ports import SweptStore


@dataclass(frozen=True, slots=True)
class Condemned:
    """`generation` 0 is the empty list that nobody wrote."""

    generation: int
    since: Mapping[str, datetime]


def fetch_condemned(store: SweptStore, dataset: str) -> Condemned:
    newest = max((item.key for item in store.list(_folder(dataset))), default=None)
    if newest is None:
        return Condemned(0, {})
    with store.open(newest) as opened:
        since = json.load(opened)
    generation = int(newest.rpartition("-")[2].removesuffix(".json"))
    return Condemned(generation, {key: datetime.fromisoformat(text) for key, text in since.items()})


def replace_condemned(
    store: SweptStore, dataset: str, before: Condemned, since: Mapping[str, datetime], scratch: Path
) -> bool:
    """Write the generation behind `before`; False when somebody else did, whose word counts then."""
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch, prefix="condemned-") as folder:
        file = Path(folder) / "condemned.json"
        file.write_text(json.dumps({key: since[key].isoformat() for key in sorted(since)}, indent=0))
        if not store.put(_key(dataset, before.generation + 1), file, only_if_absent=True):
            return False
    if before.generation:
        store.remove(_key(dataset, before.generation))
    return True


def _key(dataset: str, generation: int) -> str:
    return f"{_folder(dataset)}condemned-{generation:012}.json"


def _folder(dataset: str) -> str:
    return f"maintenance/{dataset}/"
