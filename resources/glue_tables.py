"""Published tables in Glue: whatever changes an Iceberg table, its plain table follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.exceptions import NoSuchTableError

from resources.glue_catalog import open_glue_catalog
from resources.iceberg_tables import IcebergTables
from resources.plain_tables import PlainTables
from resources.table_upkeep import IcebergUpkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from pyiceberg.table import Table

    from resources.glue_catalog import TablesInGlue
    from resources.glue_place import GluePlace
    from resources.iceberg_tables import Locations
    from resources.tables import Publication
    from sluice.contract import Contract
    from sluice.maintenance.compaction import Merge
    from sluice.maintenance.table_state import TableFile, TableState
    from sluice.outcome import Outcome
    from sluice.replaying import Return
    from sluice.rewinding import Point, Rewind

_ATTEMPTS = 100
"""Somebody wins each race, so of four equal writers one in 10^12 loses so often; 20 times, one of 200 did."""


class GlueTables(IcebergTables):
    """A change is done when the plain table shows it, too: who is interrupted between the two does both again."""

    def __init__(self, place: GluePlace, store: Locations, catalog: TablesInGlue | None = None) -> None:
        catalog = catalog or open_glue_catalog(place)
        super().__init__(catalog, store, namespace=place.database, attempts=_ATTEMPTS)
        self.plain = PlainTables(place, fetch_from(catalog, place))

    def publish(self, contract: Contract, outcome: Outcome, sequence: int) -> Publication:
        publication = super().publish(contract, outcome, sequence)
        if contract.plain_table:
            self.plain.follow(contract.dataset, self._behind(contract.dataset, outcome.partition))
        return publication

    def rewind(self, dataset: str, point: Point, partition: str | None = None, *, why: str, rewound_by: str) -> Rewind:
        done = super().rewind(dataset, point, partition, why=why, rewound_by=rewound_by)
        if self.plain.exists(dataset):
            self.plain.follow(dataset, [partition] if partition else self.plain.partitions(dataset))
        return done

    def replay(
        self, contract: Contract, returns: Sequence[Return], *, as_of: datetime, why: str, replayed_by: str
    ) -> Rewind:
        done = super().replay(contract, returns, as_of=as_of, why=why, replayed_by=replayed_by)
        if contract.plain_table:
            self.plain.follow(contract.dataset, [item.outcome.partition for item in returns])
        return done

    def _behind(self, dataset: str, partition: str) -> Sequence[str]:
        """A contract may ask for its plain table when there are partitions already: the first follows them all."""
        return (partition,) if self.plain.exists(dataset) else (partition, *self._partitions(dataset))

    def _partitions(self, dataset: str) -> Sequence[str]:
        return tuple(self.column_bytes(dataset))


@dataclass(frozen=True, slots=True)
class GlueUpkeep:
    """Maintenance that knows of plain tables: what they show is needed, and compacted files are shown there, too."""

    tables: IcebergUpkeep
    plain: PlainTables

    def state(self, dataset: str) -> TableState | None:
        return self.tables.state(dataset)

    def references(self, dataset: str) -> frozenset[str]:
        root = self.tables.store.uri("x").removesuffix("x")
        listed = {file.removeprefix(root) for file in self.plain.files(dataset)}
        return self.tables.references(dataset) | listed

    def missing(self, dataset: str) -> tuple[TableFile, ...]:
        return self.tables.missing(dataset)

    def compact(self, dataset: str, merges: Mapping[Merge, str]) -> tuple[Merge, ...]:
        done = self.tables.compact(dataset, merges)
        if done and self.plain.exists(dataset):
            self.plain.follow(dataset, [merge.partition for merge in done])
        return done

    def expire(self, dataset: str, snapshots: Sequence[int]) -> None:
        self.tables.expire(dataset, snapshots)


def open_glue_upkeep(place: GluePlace, store: Locations) -> GlueUpkeep:
    catalog = open_glue_catalog(place)
    return GlueUpkeep(IcebergUpkeep(catalog, store, place.database), PlainTables(place, fetch_from(catalog, place)))


def fetch_from(catalog: TablesInGlue, place: GluePlace) -> Callable[[str], Table | None]:
    """Return what loads a dataset's Iceberg table, None when there is none."""

    def fetch(dataset: str) -> Table | None:
        try:
            return catalog.load_table((place.database, dataset))
        except NoSuchTableError:
            return None

    return fetch
