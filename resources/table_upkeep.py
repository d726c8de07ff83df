"""Maintenance of Iceberg tables: what a table needs, small files exchanged for few, snapshots forgotten."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.table.update.snapshot import ExpireSnapshots
from pyiceberg.utils.datetime import days_to_date

from resources.iceberg_tables import NAMESPACE
from resources.partition_overwrite import PartitionOverwrite, PartitionTransaction
from resources.table_commit import commit, missing_files
from resources.table_rewind import SHOWED, fetch_shown, known_commits
from sluice.maintenance.table_state import TableFile, TableState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import DataFile, ManifestFile
    from pyiceberg.table import Table, Transaction

    from resources.iceberg_tables import Locations
    from sluice.maintenance.compaction import Merge

_ATTEMPTS = 20
_SCHEME = "file://"


class TableUpkeep(Protocol):
    """Tables as maintenance sees them."""

    def state(self, dataset: str) -> TableState | None:
        """Return what the table shows and needs now; None when there is no table."""

    def references(self, dataset: str) -> frozenset[str]:
        """Return the keys of all that the table needs: the data of every snapshot it knows, and its own metadata."""

    def missing(self, dataset: str) -> tuple[TableFile, ...]:
        """Return the files that the table shows and that are gone, or are other files now."""

    def compact(self, dataset: str, merges: Mapping[Merge, str]) -> tuple[Merge, ...]:
        """Show each merge's one file (its key) instead of its many, in one commit, and return what was done.

        A merge is left out if the table does not show all of its files any more: whoever wrote meanwhile wins.
        """

    def expire(self, dataset: str, snapshots: Sequence[int]) -> None:
        """Forget these snapshots, if they are known, except for the newest and tagged ones."""


@dataclass(frozen=True, slots=True)
class IcebergUpkeep:
    catalog: Catalog
    store: Locations
    namespace: str = NAMESPACE

    def state(self, dataset: str) -> TableState | None:
        table = self._fetch(dataset)
        if table is None:
            return None
        return TableState(
            dataset=dataset,
            held=fetch_shown(table).held,
            files=tuple(self._table_file(file) for file in _current_files(table)),
            commits=known_commits(table),
            metadata_bytes=len(table.io.new_input(table.metadata_location)),
            folder=self._folder(table),
            pinned=frozenset(reference.snapshot_id for reference in table.metadata.refs.values()),
            showed=_showed(table),
        )

    def references(self, dataset: str) -> frozenset[str]:
        table = self._fetch(dataset)
        return frozenset() if table is None else frozenset(self._key(location) for location in _referenced(table))

    def missing(self, dataset: str) -> tuple[TableFile, ...]:
        table = self._fetch(dataset)
        if table is None:
            return ()
        return tuple(self._table_file(file) for file in missing_files(table.io, _current_files(table)))

    def compact(self, dataset: str, merges: Mapping[Merge, str]) -> tuple[Merge, ...]:
        for _ in range(_ATTEMPTS):
            table = self._fetch(dataset)
            if table is None:
                return ()
            shown = {self._key(file.file_path): file for file in _current_files(table)}
            done = tuple(merge for merge, key in merges.items() if key in shown)  # by a commit of unknown fate
            possible = {merge: key for merge, key in merges.items() if all(item.key in shown for item in merge.files)}
            if not possible:
                return done
            if commit(self._prepare(table, dataset, possible, shown)):
                return tuple(possible)
        return ()  # writers come first: the next maintenance tries again

    def expire(self, dataset: str, snapshots: Sequence[int]) -> None:
        for _ in range(_ATTEMPTS):
            table = self._fetch(dataset)
            known = set() if table is None else {item.snapshot_id for item in table.metadata.snapshots}
            old = known.intersection(snapshots)
            if table is None or not old:
                return
            transaction = PartitionTransaction(table)
            tagged = {reference.snapshot_id for reference in table.metadata.refs.values()}
            ExpireSnapshots(transaction).by_ids(sorted(old - tagged)).commit()
            if commit(transaction):
                return

    def _prepare(
        self, table: Table, dataset: str, merges: Mapping[Merge, str], shown: Mapping[str, DataFile]
    ) -> Transaction:
        transaction = PartitionTransaction(table)
        old = [shown[file.key] for merge in merges for file in merge.files]
        new = [
            parquet_file_to_data_file(table.io, transaction.table_metadata, self.store.uri(key))
            for key in merges.values()
        ]
        # Not `sluice.partition`: a rewind must not take this for a publication. It changes no row.
        said = {"sluice.dataset": dataset, "sluice.compacted": " ".join(sorted({merge.partition for merge in merges}))}
        PartitionOverwrite(transaction, table.io, said, old, new).commit()
        return transaction

    def _fetch(self, dataset: str) -> Table | None:
        try:
            return self.catalog.load_table((self.namespace, dataset))
        except NoSuchTableError:
            return None

    def _table_file(self, file: DataFile) -> TableFile:
        day = days_to_date(file.partition[0]).isoformat()
        return TableFile(day, self._key(file.file_path), file.record_count, file.file_size_in_bytes)

    def _folder(self, table: Table) -> str | None:
        location = table.location().removeprefix(_SCHEME).rstrip("/") + "/"
        return self._key(location) if location.startswith(self._root) else None

    def _key(self, location: str) -> str:
        return location.removeprefix(_SCHEME).removeprefix(self._root)

    @property
    def _root(self) -> str:
        return self.store.uri("x").removesuffix("x")


def _current_files(table: Table) -> list[DataFile]:
    return [task.file for task in table.scan().plan_files()]


def _showed(table: Table) -> Mapping[str, frozenset[str]]:
    """Return what commits say was shown before them; what came before the oldest, no known snapshot shows."""
    found: dict[str, set[str]] = defaultdict(set)
    oldest_first = sorted(table.metadata.snapshots, key=lambda snapshot: snapshot.sequence_number or 0)
    for snapshot in oldest_first[1:]:
        for key, text in (snapshot.summary.additional_properties if snapshot.summary else {}).items():
            if key.startswith(SHOWED):
                found[key.removeprefix(SHOWED)].add(text)
    return {partition: frozenset(texts) for partition, texts in found.items()}


def _referenced(table: Table) -> Iterator[str]:
    """Yield the locations of all files that the table's metadata leads to, the metadata themselves included."""
    yield table.metadata_location
    yield from (entry.metadata_file for entry in table.metadata.metadata_log)
    yield from (item.statistics_path for item in table.metadata.statistics)
    yield from (item.statistics_path for item in table.metadata.partition_statistics)
    manifests: dict[str, ManifestFile] = {}
    for snapshot in table.metadata.snapshots:
        yield snapshot.manifest_list
        manifests |= {manifest.manifest_path: manifest for manifest in snapshot.manifests(table.io)}
    for path, manifest in manifests.items():
        yield path
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            yield entry.data_file.file_path
