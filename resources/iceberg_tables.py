"""Published tables in an Iceberg catalog; a commit refers to the staged files where they are."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Protocol

from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    NamespaceAlreadyExistsError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.expressions import EqualTo, Reference
from pyiceberg.expressions.literals import literal
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.table import ALWAYS_TRUE, TableProperties
from pyiceberg.transforms import IdentityTransform
from sqlalchemy.exc import OperationalError

from resources.partition_overwrite import PartitionOverwrite, PartitionTransaction
from resources.table_evolution import evolve, table_properties
from resources.tables import Effect, Held, Publication
from sluice.contract import PARTITION_COLUMN
from sluice.errors import PublishConflict, StagedFilesMissing
from sluice.publishing import decide_publication
from sluice.table_schema import iceberg_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyiceberg.catalog import Catalog
    from pyiceberg.io import FileIO, InputFile
    from pyiceberg.manifest import DataFile
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table, Transaction
    from pyiceberg.table.metadata import TableMetadata

    from sluice.contract import Contract
    from sluice.outcome import Outcome, StagedFile

NAMESPACE = "sluice"

_HELD = "sluice.held."
"""Table property per partition: what it shows. Set in the commit that shows it, so that one read answers for a
partition without rows too; 3,650 of them add 0.3 MB to the metadata file."""

_ATTEMPTS = 20
_SHORTEST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0


class Locations(Protocol):
    """Where the object store keeps what is staged."""

    def uri(self, key: str) -> str: ...


class IcebergTables:
    """One table per dataset in the namespace `sluice`, partitioned by `partition_date`."""

    def __init__(self, catalog: Catalog, store: Locations) -> None:
        self._catalog = catalog
        self._store = store

    def publish(self, contract: Contract, outcome: Outcome, sequence: int) -> Publication:
        for attempt in range(_ATTEMPTS):
            table = self._fetch_or_create(contract)
            held = _held(table, outcome.partition)
            effect = decide_publication(held, outcome.version, sequence)
            if held is not None and effect is not Effect.COMMITTED:
                return Publication(effect, held)
            transaction, held = self._prepare(table, contract, outcome, sequence)
            if _commit(transaction) or self.held(contract.dataset, outcome.partition) == held:
                return Publication(Effect.COMMITTED, held)
            _pause(attempt)
        raise PublishConflict(table=contract.dataset, partition=outcome.partition, attempts=_ATTEMPTS)

    def held(self, dataset: str, partition: str) -> Held | None:
        table = self._fetch(dataset)
        return None if table is None else _held(table, partition)

    def files(self, dataset: str, partition: str | None = None) -> tuple[str, ...]:
        table = self._fetch(dataset)
        return () if table is None else tuple(file.file_path for file in _data_files(table, partition))

    def schema(self, dataset: str) -> Schema | None:
        """Return the columns of a table, or None when it was never published."""
        table = self._fetch(dataset)
        return None if table is None else table.schema()

    def names(self) -> tuple[str, ...]:
        """Return the datasets that have a table."""
        if not self._catalog.namespace_exists(NAMESPACE):
            return ()
        return tuple(sorted(name for _, name in self._catalog.list_tables(NAMESPACE)))

    def _fetch(self, dataset: str) -> Table | None:
        try:
            return self._catalog.load_table((NAMESPACE, dataset))
        except NoSuchTableError:
            return None

    def _fetch_or_create(self, contract: Contract) -> Table:
        table = self._fetch(contract.dataset)
        if table is not None:
            return table
        try:
            self._catalog.create_namespace_if_not_exists(NAMESPACE)
            return _create(self._catalog, contract)
        except (NamespaceAlreadyExistsError, TableAlreadyExistsError):
            return self._fetch_or_create(contract)  # another process was faster

    def _prepare(self, table: Table, contract: Contract, outcome: Outcome, sequence: int) -> tuple[Transaction, Held]:
        """Stage the whole commit; readers see nothing of it yet."""
        transaction = PartitionTransaction(table)
        evolve(transaction, contract)
        old = _data_files(table, outcome.partition)
        new = self._describe_staged(outcome, transaction.table_metadata, table.io)
        overwrite = PartitionOverwrite(transaction, table.io, _snapshot_properties(outcome, sequence), old, new)
        overwrite.commit()
        held = Held(outcome.version, sequence, overwrite.snapshot_id)
        transaction.set_properties({_HELD + outcome.partition: str(held)})
        return transaction, held

    def _describe_staged(self, outcome: Outcome, metadata: TableMetadata, io: FileIO) -> list[DataFile]:
        """Describe the staged files to Iceberg, from their footers; raises StagedFilesMissing."""
        described = []
        for staged in outcome.files:
            uri = self._store.uri(staged.key)
            _check_size(staged, io.new_input(uri))
            if staged.records:  # a file without rows has no statistics that say which partition it belongs to
                described.append(parquet_file_to_data_file(io, metadata, uri))
        rows = sum(file.record_count for file in described)
        if rows != outcome.published:
            raise StagedFilesMissing(
                key=f"{outcome.dataset} {outcome.partition} {outcome.version}",
                problem=f"has {rows} rows in its files, but {outcome.published} were staged",
            )
        return described


def _create(catalog: Catalog, contract: Contract) -> Table:
    schema = iceberg_schema(contract)
    partition = PartitionField(
        schema.find_field(PARTITION_COLUMN).field_id, 1000, IdentityTransform(), PARTITION_COLUMN
    )
    return catalog.create_table(
        (NAMESPACE, contract.dataset),
        schema,
        partition_spec=PartitionSpec(partition),
        properties={
            **table_properties(contract),
            TableProperties.DEFAULT_NAME_MAPPING: schema.name_mapping.model_dump_json(),  # DuckDB writes no field ids
            TableProperties.METADATA_DELETE_AFTER_COMMIT_ENABLED: "true",
            TableProperties.METADATA_PREVIOUS_VERSIONS_MAX: "50",
            "sluice.dataset": contract.dataset,
        },
    )


def _held(table: Table, partition: str) -> Held | None:
    text = table.properties.get(_HELD + partition)
    return None if text is None else Held.parse(text)


def _data_files(table: Table, partition: str | None) -> list[DataFile]:
    column = Reference(PARTITION_COLUMN)
    row_filter = ALWAYS_TRUE if partition is None else EqualTo(term=column, value=literal(partition))
    return [task.file for task in table.scan(row_filter=row_filter).plan_files()]


def _check_size(staged: StagedFile, file: InputFile) -> None:
    if not file.exists():
        raise StagedFilesMissing(key=staged.key, problem="is gone")
    if len(file) != staged.size_bytes:
        problem = f"has {len(file)} bytes, but {staged.size_bytes} were staged"
        raise StagedFilesMissing(key=staged.key, problem=problem)


def _snapshot_properties(outcome: Outcome, sequence: int) -> Mapping[str, str]:
    return {
        "sluice.dataset": outcome.dataset,
        "sluice.partition": outcome.partition,
        "sluice.fingerprint": outcome.fingerprint,
        "sluice.contract-version": outcome.contract_version,
        "sluice.contract-fingerprint": outcome.contract_fingerprint,
        "sluice.code-version": outcome.code_version,
        "sluice.run-id": outcome.run_id,
        "sluice.sequence": str(sequence),
    }


def _commit(transaction: Transaction) -> bool:
    """Commit; False when it is lost or when its fate is not known, which a look at the table settles."""
    try:
        transaction.commit_transaction()
    except (CommitFailedException, CommitStateUnknownException, OperationalError, TimeoutError):
        return False
    return True


def _pause(attempt: int) -> None:
    longest = min(_SHORTEST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS)
    time.sleep(random.uniform(0, longest))  # noqa: S311  # spreads writers, keeps no secret
