"""One Iceberg snapshot that replaces the data files of a partition, and keeps the manifests few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import TableProperties, Transaction
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _ManifestMergeManager, _OverwriteFiles

from resources.table_metadata import updated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyiceberg.io import FileIO
    from pyiceberg.manifest import DataFile, ManifestFile
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.update import TableUpdate

_MERGE_ABOVE = 50
"""Manifests before the small ones are merged: a commit writes at least one, and a reader opens all that may matter."""

_MANIFEST_BYTES = 1 << 17
"""Where merging stops: a replaced partition rewrites the manifest that lists it, so manifests stay small."""


class PartitionTransaction(Transaction):
    """pyiceberg copies the whole metadata, with every snapshot, each of the 28 times that one commit looks at it.

    What is seen here is read only, so it need not be copied at all: with 300 snapshots that was two thirds of a commit.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._seen: tuple[TableMetadata, tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        base, updates = self._table.metadata, self._updates
        if self._seen is None or self._seen[0] is not base or self._seen[1] is not updates:
            self._seen = (base, updates, updated(base, updates))
        return self._seen[2]

    def commit_transaction(self) -> Table:
        # pyiceberg would wait, look at the table again, and only then ask `_refresh_for_retry`, which refuses.
        base = self._table.metadata
        once = {**base.properties, TableProperties.COMMIT_NUM_RETRIES: "0"}
        self._table.metadata = base.model_copy(update={"properties": once})  # what is committed are updates alone
        return super().commit_transaction()


class PartitionOverwrite(_OverwriteFiles):
    """pyiceberg's public ways leave two snapshots (delete, append), or manifests that list no file any more.

    This subclass leans on names that pyiceberg keeps to itself; pyproject.toml pins the minor version.
    """

    def __init__(
        self,
        transaction: Transaction,
        io: FileIO,
        properties: Mapping[str, str],
        old: Iterable[DataFile],
        new: Iterable[DataFile],
    ) -> None:
        before, after = ({_identity(file): file for file in files} for files in (old, new))
        replaced = [file for same, file in before.items() if same not in after]
        operation = Operation.OVERWRITE if replaced else Operation.APPEND
        super().__init__(operation, transaction, io, snapshot_properties=dict(properties))
        for file in replaced:
            self.delete_data_file(file)
        for same, file in after.items():
            if same not in before:  # else it is shown already, and stays
                self.append_data_file(file)

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        live = [item for item in manifests if self._is_needed(item)]
        merger = _ManifestMergeManager(_MANIFEST_BYTES, _MERGE_ABOVE, merge_enabled=True, snapshot_producer=self)
        return merger.merge_manifests(live)

    def _is_needed(self, manifest: ManifestFile) -> bool:
        # A manifest that only lists deleted files matters to the snapshot that deleted them, and to no later one.
        own = manifest.added_snapshot_id == self.snapshot_id
        return own or manifest.has_added_files() or manifest.has_existing_files()

    def _refresh_for_retry(self) -> Never:
        # pyiceberg would replay the overwrite on top of a newer snapshot without asking whether it is still wanted.
        raise CommitFailedException("The table has changed: publishing has to be decided anew.")


def _identity(file: DataFile) -> tuple[str, int, int]:
    """A file that was deleted by hand may have been staged again under its name."""
    return file.file_path, file.file_size_in_bytes, file.record_count
