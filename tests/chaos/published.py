"""What tables show, read as consumers read it, and what every snapshot has ever shown."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from tests.chaos.oracle import COLUMNS, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline_assets.cli.environment import Environment


def rows_shown(environment: Environment, dataset: str) -> Mapping[str, Rows]:
    """Return the rows of each partition, all from one snapshot."""
    import duckdb

    shown: dict[str, Rows] = defaultdict(Counter)
    if not (files := environment.tables.files(dataset)):
        return shown
    names = ", ".join(COLUMNS[dataset])
    with duckdb.connect() as connection:
        read = f"read_parquet({list(files)}, hive_partitioning = false, union_by_name = true)"
        for day, *row in connection.execute(f"SELECT partition_date, {names} FROM {read}").fetchall():
            shown[day.isoformat()][tuple(row)] += 1
    return shown


class Shown(NamedTuple):
    """What one commit made of its partition."""

    dataset: str
    partition: str
    fingerprint: str
    rows: Rows


def snapshots(environment: Environment, dataset: str) -> Iterator[Shown]:
    """Yield what each snapshot of a table shows of the partition that it published."""
    from pyiceberg.exceptions import NoSuchTableError

    from resources.local_catalog import open_local_catalog

    settings = environment.settings
    try:
        table = open_local_catalog(settings.catalog_database, settings.tables).load_table(("sluice", dataset))
    except NoSuchTableError:
        return
    for snapshot in table.snapshots():
        told = snapshot.summary.additional_properties if snapshot.summary else {}
        partition = told.get("sluice.partition")
        if partition is None:
            continue
        scan = table.scan(f"partition_date = '{partition}'", COLUMNS[dataset], snapshot_id=snapshot.snapshot_id)
        rows = [tuple(row[name] for name in COLUMNS[dataset]) for row in scan.to_arrow().to_pylist()]
        yield Shown(dataset, partition, told["sluice.fingerprint"], Counter(rows))
