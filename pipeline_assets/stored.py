"""All that a dataset has in the store outside of raw, and what of it somebody refers to."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pipeline_assets.asset_specs import Zone
from sluice.maintenance.sweeping import Needed, Stored, StoredFile, folder_of, partition_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipeline_assets.ports import Ledger, SweptStore
    from sluice.maintenance.table_state import TableState


def fetch_stored(store: SweptStore, dataset: str, table_folder: str | None) -> Stored:
    prefixes = [f"{zone}/{dataset}/" for zone in (Zone.PROCESSED, Zone.QUARANTINE)]
    prefixes += [table_folder] if table_folder else []
    files = tuple(
        StoredFile(item.key, item.size, item.modified_at) for prefix in prefixes for item in store.everything(prefix)
    )
    return Stored(files, {file.key: text for file in files if file.is_claim and (text := _read(store, file.key))})


def fetch_needed(state: TableState, references: Collection[str], stored: Stored, ledger: Ledger) -> Needed:
    """Return what table (its `references`) and ledger refer to.

    The last version that was tried counts, too: it may be about to be published.
    """
    names: dict[str, set[str]] = defaultdict(set)
    for partition, held in state.held.items():
        names[partition].add(str(held.version))
    for commit in state.commits:
        for partition, version in commit.shows.items():
            names[partition].add(str(version))
    for partition, versions in state.showed.items():
        names[partition].update(versions)
    for key in references:  # a snapshot shows them, whose commit may be forgotten: a rewind asks for the claim
        names[partition_of(key)].add(folder_of(key))
    keys = set(references)
    for published in ledger.all_published(state.dataset):
        outcome = published.outcome
        names[outcome.partition].add(str(outcome.version))
        keys.update(file.key for file in (*outcome.files, *outcome.quarantine_files))
    for partition in {partition_of(key) for key in stored.claims}:
        if (attempt := ledger.last_attempt(state.dataset, partition)) is not None:
            names[partition].add(attempt.version)
    return Needed(frozenset(keys), _frozen(names))


def _frozen(names: Mapping[str, set[str]]) -> Mapping[str, frozenset[str]]:
    return {partition: frozenset(found) for partition, found in names.items()}


def _read(store: SweptStore, key: str) -> str | None:
    """Return the text, or None when it has gone since it was listed."""
    try:
        with store.open(key) as opened:
            return opened.read().decode(errors="replace")
    except FileNotFoundError:
        return None
