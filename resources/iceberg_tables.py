"""Published tables in an Iceberg catalog; a commit refers to the staged files where they are."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.expressions import EqualTo, Reference
from pyiceberg.expressions.literals import literal
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import ALWAYS_TRUE, TableProperties
from pyiceberg.transforms import IdentityTransform
from pyiceberg.utils.datetime import days_to_date

from resources.partition_overwrite import PartitionOverwrite, PartitionTransaction
from resources.staged_files import describe_staged
from resources.table_commit import commit, missing_files
from resources.table_evolution import evolve, table_properties
from resources.table_history import KEPT_SNAPSHOTS, forget_old_snapshots
from resources.table_replay import prepare_replay
from resources.table_rewind import HELD, SHOWED, fetch_rewind, fetch_shown, prepare_rewind, taken_back
from resources.table_stand_ins import STAND_IN, note_published
from resources.tables import Contents, Effect, Held, Publication
from sluice.contract import PARTITION_COLUMN
from sluice.errors import PublishConflict, TableUnknown
from sluice.publishing import decide_publication
from sluice.replaying import as_rewind, turn
from sluice.table_schema import iceberg_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table, Transaction

    from sluice.contract import Contract
    from sluice.outcome import Outcome
    from sluice.replaying import Return
    from sluice.rewinding import Point, Rewind, Shown
    from sluice.version import Version

NAMESPACE = "sluice"
"""What a catalog of its own calls the tables' namespace; in a shared one the settings name it."""

ATTEMPTS = 20
_SHORTEST_PAUSE_SECONDS = 0.05


class Locations(Protocol):
    """Where the object store keeps what is staged."""

    def uri(self, key: str) -> str: ...


class IcebergTables:
    """One table per dataset in one namespace, partitioned by `partition_date`."""

    def __init__(
        self,
        catalog: Catalog,
        store: Locations,
        *,
        namespace: str = NAMESPACE,
        attempts: int = ATTEMPTS,
        kept_snapshots: int = KEPT_SNAPSHOTS,
        longest_pause_seconds: float = 2.0,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._namespace = namespace
        self._attempts = attempts
        self._kept_snapshots = kept_snapshots
        self._longest_pause_seconds = longest_pause_seconds

    def publish(self, contract: Contract, outcome: Outcome, sequence: int) -> Publication:
        for attempt in range(self._attempts):
            table = self._fetch_or_create(contract)
            held = _held(table, outcome.partition)
            effect = decide_publication(held, outcome.version, sequence, taken_back(table, outcome.partition))
            if held is not None and effect is not Effect.COMMITTED and not self._has_lost_files(table, outcome, effect):
                return Publication(effect, held)
            transaction, mine = self._prepare(table, contract, outcome, sequence)
            if commit(transaction) or self.held(contract.dataset, outcome.partition) == mine:
                return Publication(Effect.COMMITTED, mine)
            self._pause(attempt)
        raise PublishConflict(table=contract.dataset, partition=outcome.partition, attempts=self._attempts)

    def plan_rewind(self, dataset: str, point: Point, partition: str | None = None) -> Rewind:
        table = self._fetch(dataset)
        if table is None:
            raise TableUnknown(table=dataset, known=self.names())
        return fetch_rewind(table, dataset, point, partition)

    def rewind(self, dataset: str, point: Point, partition: str | None = None, *, why: str, rewound_by: str) -> Rewind:
        for attempt in range(self._attempts):
            table = self._fetch(dataset)
            if table is None:
                raise TableUnknown(table=dataset, known=self.names())
            rewind = fetch_rewind(table, dataset, point, partition)
            if not rewind.changes:
                return rewind
            transaction, mine = prepare_rewind(table, rewind, why=why, rewound_by=rewound_by)
            if commit(transaction) or self._holds(dataset, mine):
                return rewind
            self._pause(attempt)
        raise PublishConflict(table=dataset, partition=partition or "its partitions", attempts=self._attempts)

    def replay(
        self, contract: Contract, returns: Sequence[Return], *, as_of: datetime, why: str, replayed_by: str
    ) -> Rewind:
        notes = {
            "sluice.dataset": contract.dataset,
            "sluice.replayed-as-of": as_of.isoformat(),
            "sluice.replayed-by": replayed_by,
            "sluice.why": why,
        }
        for attempt in range(self._attempts):
            table = self._fetch_or_create(contract)
            shown = _shown(table)
            turns = [
                (turn(item, shown.held.get(day), shown.taken_back.get(day, frozenset())), item.outcome)
                for item in returns
                for day in (item.outcome.partition,)
            ]
            newest = table.metadata.current_snapshot_id
            done = as_rewind(contract.dataset, (item for item, _ in turns), newest)
            changes = [(item, outcome) for item, outcome in turns if item.changes]
            if not changes:
                return done
            transaction = PartitionTransaction(table)
            evolve(transaction, contract, with_status=_has_status(contract))
            files_of = partial(_data_files, table)
            mine = prepare_replay(transaction, table, changes, shown, self._store.uri, files_of, notes)
            if commit(transaction) or self._holds(contract.dataset, mine):
                return done
            self._pause(attempt)
        raise PublishConflict(table=contract.dataset, partition="its partitions", attempts=self._attempts)

    def taken_back(self, dataset: str) -> Mapping[str, frozenset[Version]]:
        table = self._fetch(dataset)
        return {} if table is None else fetch_shown(table).taken_back

    def held(self, dataset: str, partition: str) -> Held | None:
        table = self._fetch(dataset)
        return None if table is None else _held(table, partition)

    def files(self, dataset: str, partition: str | None = None) -> tuple[str, ...]:
        table = self._fetch(dataset)
        return () if table is None else tuple(file.file_path for file in _data_files(table, partition))

    def names(self) -> tuple[str, ...]:
        if not self._catalog.namespace_exists(self._namespace):
            return ()
        return tuple(sorted(name for _, name in self._catalog.list_tables(self._namespace)))

    def contents(self, dataset: str) -> Contents:
        table = self._fetch(dataset)
        if table is None:
            raise TableUnknown(table=dataset, known=self.names())
        return Contents(table.schema().as_arrow(), tuple(file.file_path for file in _data_files(table, None)))

    def column_bytes(self, dataset: str) -> Mapping[str, Mapping[str, int]]:
        table = self._fetch(dataset)
        if table is None:
            return {}
        columns = _column_of_field(table)
        sizes: dict[str, dict[str, int]] = {}
        for file in _data_files(table, None):
            of_day = sizes.setdefault(days_to_date(file.partition[0]).isoformat(), dict.fromkeys(columns.values(), 0))
            for field_id, size in (file.column_sizes or {}).items():
                of_day[columns[field_id]] += size
        return sizes

    def _holds(self, dataset: str, mine: Mapping[str, Held]) -> bool:
        return all(self.held(dataset, partition) == item for partition, item in mine.items())

    def _fetch(self, dataset: str) -> Table | None:
        try:
            return self._catalog.load_table((self._namespace, dataset))
        except NoSuchTableError:
            return None

    def _fetch_or_create(self, contract: Contract) -> Table:
        table = self._fetch(contract.dataset)
        if table is not None:
            return table
        try:
            if not self._catalog.namespace_exists(self._namespace):  # asked first: to look is allowed to more people
                self._catalog.create_namespace(self._namespace)
            return _create(self._catalog, self._namespace, contract)
        except (NamespaceAlreadyExistsError, TableAlreadyExistsError):
            return self._fetch_or_create(contract)  # another process was faster

    def _prepare(self, table: Table, contract: Contract, outcome: Outcome, sequence: int) -> tuple[Transaction, Held]:
        """Stage the whole commit; readers see nothing of it yet."""
        transaction = PartitionTransaction(table)
        evolve(transaction, contract, with_status=_has_status(contract) or outcome.stand_in is not None)
        before = _held(table, outcome.partition)
        old: list[DataFile] = []
        new: list[DataFile] = []
        shown = _data_files(table, outcome.partition)
        if before is None or before.version != outcome.version or missing_files(table.io, shown):  # else they are these
            old = shown
            new = describe_staged(outcome, self._store.uri, transaction.table_metadata, table.io, old)
        properties = _snapshot_properties(outcome, sequence, before)
        overwrite = PartitionOverwrite(transaction, table.io, properties, old, new)
        overwrite.commit()
        forget_old_snapshots(transaction, self._kept_snapshots)
        held = Held(outcome.version, sequence, overwrite.snapshot_id, outcome.stand_in)
        transaction.set_properties({HELD + outcome.partition: str(held)})
        note_published(transaction, outcome.partition, before, outcome.stand_in)
        return transaction, held

    def _has_lost_files(self, table: Table, outcome: Outcome, effect: Effect) -> bool:
        """A version that is shown already is published again if somebody has taken its files away."""
        held = effect is Effect.ALREADY_HELD
        return held and bool(missing_files(table.io, _data_files(table, outcome.partition)))

    def _pause(self, attempt: int) -> None:
        longest = min(_SHORTEST_PAUSE_SECONDS * 2**attempt, self._longest_pause_seconds)
        time.sleep(random.uniform(0, longest))  # noqa: S311  # spreads writers, keeps no secret


def _create(catalog: Catalog, namespace: str, contract: Contract) -> Table:
    schema = iceberg_schema(contract, with_status=_has_status(contract))
    partition = PartitionField(
        schema.find_field(PARTITION_COLUMN).field_id, 1000, IdentityTransform(), PARTITION_COLUMN
    )
    return catalog.create_table(
        (namespace, contract.dataset),
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


def _has_status(contract: Contract) -> bool:
    """Queries may name the column before the first stand-in is there."""
    return contract.healing.stand_in is not None


def _held(table: Table, partition: str) -> Held | None:
    text = table.properties.get(HELD + partition)
    return None if text is None else replace(Held.parse(text), stand_in=table.properties.get(STAND_IN + partition))


def _shown(table: Table) -> Shown:
    shown = fetch_shown(table)
    held = {day: replace(item, stand_in=table.properties.get(STAND_IN + day)) for day, item in shown.held.items()}
    return replace(shown, held=held)


def _data_files(table: Table, partition: str | None) -> list[DataFile]:
    column = Reference(PARTITION_COLUMN)
    row_filter = ALWAYS_TRUE if partition is None else EqualTo(term=column, value=literal(partition))
    return [task.file for task in table.scan(row_filter=row_filter).plan_files()]


def _column_of_field(table: Table) -> Mapping[int, str]:
    """Return field id -> top-level column, also of columns that the contract has dropped and old files still hold."""
    columns = [column for schema in (*table.schemas().values(), table.schema()) for column in schema.columns]
    return {field_id: column.name for column in columns for field_id in Schema(column).field_ids}


def _snapshot_properties(outcome: Outcome, sequence: int, before: Held | None) -> Mapping[str, str]:
    return {
        "sluice.dataset": outcome.dataset,
        "sluice.partition": outcome.partition,
        "sluice.fingerprint": outcome.fingerprint,
        "sluice.contract-version": outcome.contract_version,
        "sluice.contract-fingerprint": outcome.contract_fingerprint,
        "sluice.code-version": outcome.code_version,
        "sluice.run-id": outcome.run_id,
        "sluice.sequence": str(sequence),
        **({"sluice.stand-in": outcome.stand_in} if outcome.stand_in else {}),
        **({SHOWED + outcome.partition: str(before.version)} if before else {}),
    }
