"""Where the files of a staged version lie: put there first, listed by an outcome that is written last, found again."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import ValidationError

from pipeline_assets.asset_specs import Zone
from sluice.errors import StagedFilesMissing
from sluice.outcome import OUTCOME_NAME, Outcome, StagedFile
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipeline_assets.ports import Store

Place = tuple[str, str, Version]
"""Dataset, partition and version: what names a folder of staged files."""


def folder_of(zone: Zone, dataset: str, partition: str, version: Version) -> str:
    return f"{zone}/{dataset}/date={partition}/{version}/"


def put_file(
    file: Path | None, records: int, zone: Zone, place: Place, store: Store, *, name: str
) -> StagedFile | None:
    """Store a file that holds records; an empty one is not kept, for a table's metadata has no use for it.

    Its name is unique, so that a slower twin of this run can never replace a file that a table already shows.
    """
    if file is None or not records:
        return None
    key, size = f"{folder_of(zone, *place)}{name}-{uuid4().hex[:8]}.parquet", file.stat().st_size
    store.put(key, file)
    return StagedFile(key=key, records=records, size_bytes=size)


def claim(outcome: Outcome, store: Store, written: Path) -> Outcome:
    """Write the outcome last; the first one of a version stands. A killed run leaves files that no outcome lists."""
    key = folder_of(Zone.PROCESSED, outcome.dataset, outcome.partition, outcome.version) + OUTCOME_NAME
    written.write_text(outcome.model_dump_json(indent=1))
    if store.put(key, written, only_if_absent=True):
        return outcome
    try:  # another run claimed this version first: its outcome stands, unless its files have gone since
        return fetch_outcome(store, outcome.dataset, outcome.partition, outcome.version)
    except StagedFilesMissing:
        written.write_text(outcome.model_dump_json(indent=1))
        store.put(key, written)
        return outcome


def fetch_outcome(store: Store, dataset: str, partition: str, version: Version) -> Outcome:
    """Return what is staged for a version; raises StagedFilesMissing when nothing is or one of its files is gone."""
    outcome = read_outcome(store, dataset, partition, version)
    for file in missing((*outcome.files, *outcome.quarantine_files), store):
        raise StagedFilesMissing(key=file.key, problem="is gone or has another size than when it was staged.")
    return outcome


def read_outcome(store: Store, dataset: str, partition: str, version: Version) -> Outcome:
    """Return what building a version came to, whether or not its files are still there."""
    folder = folder_of(Zone.PROCESSED, dataset, partition, version)
    try:
        with store.open(folder + OUTCOME_NAME) as opened:
            return Outcome.model_validate_json(opened.read())
    except FileNotFoundError as error:
        raise StagedFilesMissing(key=folder, problem="was never staged to its end.") from error
    except ValidationError as error:  # cut off on its way here, or by a disk
        raise StagedFilesMissing(key=folder + OUTCOME_NAME, problem="cannot be read as what was written") from error


def missing(files: Iterable[StagedFile], store: Store) -> Iterator[StagedFile]:
    """Yield the files that are gone or have another size than when they were staged."""
    folders: dict[str, list[StagedFile]] = defaultdict(list)
    for file in files:
        folders[file.key.rpartition("/")[0] + "/"].append(file)
    for folder, listed in folders.items():
        present = {item.key: item.size for item in store.list(folder)}
        yield from (file for file in listed if present.get(file.key) != file.size_bytes)
