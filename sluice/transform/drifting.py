"""Which objects have grown apart from the contract, and the quarantine of whole objects."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from sluice.contract import DriftPolicy
from sluice.drift_kind import TYPE_CODES, DriftKind, is_drift
from sluice.quarantine import REASONS
from sluice.reading import RawInput, Tally, original_bytes, read_objects
from sluice.transform.column_sql import LINE
from sluice.transform.csv_header import missing_names, unknown_names
from sluice.transform.loading import record_sql, unreadable_objects
from sluice.transform.record_sql import GOOD, LINE_NO, OBJECT, SEPARATOR, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import BinaryIO

    from duckdb import DuckDBPyConnection

    from sluice.contract import Contract, Source
    from sluice.manifest import Manifest, RawObject
    from sluice.quarantine import QuarantineFile
    from sluice.transform.loading import Layouts

REASON = "schema_drift"
_MOST_FIELDS = 50
"""Kept of one object: objects whose field names are data would name millions."""


@dataclass(frozen=True, slots=True)
class Drifting:
    """One field of one object, by number; `records` of its `of_records` differ."""

    number: int
    kind: DriftKind
    field: str
    records: int
    of_records: int

    @property
    def counts(self) -> bool:
        return is_drift(self.kind, self.records, self.of_records)


def find_drift(
    connection: DuckDBPyConnection, contract: Contract, layouts: Layouts, tally: Tally
) -> tuple[Drifting, ...]:
    """Look at what `parsed` holds; unknown fields are told however few records hold them."""
    if contract.transform_sql is not None:
        return ()
    unreadable = unreadable_objects(tally)
    found: Counter[tuple[int, DriftKind, str]] = Counter()
    for number, name, records in _unknown_fields(connection):
        found[number, DriftKind.UNKNOWN, name] += records
    for number, code, column, records in _faults(connection, contract, layouts, _mostly_bad(connection, tally)):
        if code in TYPE_CODES:
            found[number, DriftKind.RETYPED, column] += records
        elif code == "required":
            found[number, DriftKind.MISSING, column] += records
    for number in unreadable.keys() & tally.headers.keys():
        names = dict.fromkeys(missing_names(contract, tally.headers[number]), DriftKind.MISSING)
        names |= dict.fromkeys(unknown_names(contract, tally.headers[number]), DriftKind.UNKNOWN)
        found.update({(number, kind, name): 1 for name, kind in names.items()})
    records_of = {number: 1 if number in unreadable else count.records for number, count in tally.counts.items()}
    drifting = [Drifting(*place, records, records_of[place[0]]) for place, records in found.items()]
    return _most_of_each([item for item in drifting if item.kind is DriftKind.UNKNOWN or item.counts])


def take_out(connection: DuckDBPyConnection, contract: Contract, drift: Sequence[Drifting]) -> tuple[Drifting, ...]:
    """Remove the records of drifted objects from `parsed`, if the contract wants that; return why each went."""
    if contract.drift is not DriftPolicy.QUARANTINE:
        return ()
    decisive = tuple(item for item in drift if item.counts)
    if decisive:
        connection.execute(f"DELETE FROM parsed WHERE list_contains({sorted({i.number for i in decisive})}, {OBJECT})")
    return decisive


def write_taken_out(
    taken: Sequence[Drifting],
    source: Source,
    manifest: Manifest,
    open_object: Callable[[RawObject], BinaryIO],
    quarantine: QuarantineFile,
) -> None:
    """Append every record of these objects, read once more: good records do not keep their lines.

    Records that readers reject are left out, for they are in quarantine with reasons of their own.
    """
    for number in sorted({item.number for item in taken}):
        tally = Tally()
        why = [_reason(item) for item in taken if item.number == number]
        for batch in read_objects([RawInput(number, manifest.objects[number])], source, open_object, tally):
            tally.rejected.clear()
            raws = pa.array([original_bytes(str(line), source) for line in batch.column(2).to_pylist()], pa.binary())
            reasons = pa.array([why] * batch.num_rows, REASONS)
            quarantine.write_columns(batch.column(0), batch.column(1), raws, reasons)


def _reason(item: Drifting) -> dict[str, str]:
    value = f"{item.kind} in {item.records:,} of the {item.of_records:,} records of its object"
    return {"code": REASON, "column": item.field, "value": value}


def _unknown_fields(connection: DuckDBPyConnection) -> Iterator[tuple[int, str, int]]:
    """Yield object, name and number of records; records with the same unknown fields are counted first."""
    grouped = f"SELECT {OBJECT}, {UNKNOWN}, count(*) AS n FROM parsed WHERE {UNKNOWN} IS NOT NULL GROUP BY ALL"
    names = f"unnest(string_split({UNKNOWN}, {SEPARATOR}))"
    query = f"SELECT {OBJECT}, name, CAST(sum(n) AS BIGINT) FROM (SELECT {OBJECT}, {names} AS name, n FROM ({grouped}))"
    yield from connection.execute(f"{query} GROUP BY ALL ORDER BY ALL").fetchall()


def _mostly_bad(connection: DuckDBPyConnection, tally: Tally) -> list[int]:
    """Return the objects whose records are bad by half and more; no other can lack a column or hold another type."""
    bad = f"SELECT {OBJECT}, count(*) FROM parsed WHERE NOT {GOOD} GROUP BY ALL ORDER BY ALL"
    found = connection.execute(bad).fetchall()
    return [number for number, records in found if 2 * records >= tally.counts[number].records]


def _faults(
    connection: DuckDBPyConnection, contract: Contract, layouts: Layouts, numbers: Collection[int]
) -> Iterator[tuple[int, str, str, int]]:
    """Yield object, reason code, column and number of records."""
    for layout, objects in layouts.items():
        wanted = [number for number in objects if number in numbers]
        if not wanted:
            continue
        bad = (
            f"SELECT {OBJECT} AS obj, {LINE_NO} AS line_no, {LINE} AS line FROM parsed "
            f"WHERE NOT {GOOD} AND list_contains({wanted}, {OBJECT})"
        )
        explained = record_sql(contract, layout).explained(f"({bad})")
        reasons = f"SELECT {OBJECT}, {LINE_NO}, unnest(reasons) AS reason FROM ({explained})"
        yield from connection.execute(
            f'SELECT {OBJECT}, reason.code, reason."column", count(DISTINCT {LINE_NO}) FROM ({reasons}) '
            "GROUP BY ALL ORDER BY ALL"
        ).fetchall()


def _most_of_each(drifting: Sequence[Drifting]) -> tuple[Drifting, ...]:
    """Return what is kept of each object: what counts before what does not, the commonest first."""
    kept: Counter[int] = Counter()
    found = []
    for item in sorted(drifting, key=lambda item: (item.number, not item.counts, -item.records, item.field)):
        kept[item.number] += 1
        if kept[item.number] <= _MOST_FIELDS:
            found.append(item)
    return tuple(found)
