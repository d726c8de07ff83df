"""What one object really holds, field by field, whatever its contract says."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb

from sluice.contract import FileFormat
from sluice.inference.csv_columns import observe_csv
from sluice.inference.json_columns import observe_json
from sluice.inference.observation import Observation, SampleReading
from sluice.inference.parquet_types import common_schema, decide_parquet
from sluice.inference.value_types import decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.contract import Source
    from sluice.datatypes import DataType
    from sluice.inference.samples import Limits, SampleFile


@dataclass(frozen=True, slots=True)
class SeenField:
    """`records` hold a value; `type` is the narrowest that fits all of them, and means nothing without any."""

    type: DataType
    records: int


@dataclass(frozen=True, slots=True)
class SeenObject:
    """`records` could be read; an object that cannot be read to its end has a `problem`."""

    key: str
    records: int
    fields: Mapping[str, SeenField] = field(default_factory=dict)
    problem: str | None = None


def observe_object(sample: SampleFile, source: Source, limits: Limits) -> SeenObject:
    """Look at the beginning of one object, read as the contract says it is written."""
    with closing(duckdb.connect()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        seen = Observation(connection, limits.columns)
        reading = SampleReading(sample, source, limits)
        (observe_csv if source.format is FileFormat.CSV else observe_json)(reading, seen)
        seen.note_end(reading)
        return SeenObject(sample.name, seen.records, _fields(seen, source), seen.unreadable.get(sample.name))


def _fields(seen: Observation, source: Source) -> Mapping[str, SeenField]:
    if source.format is FileFormat.PARQUET and seen.sound:
        schema = common_schema(seen.sound)
        return {
            name: SeenField(decide_parquet(name, schema.get(name), shape).type, shape.seen)
            for name, shape in seen.columns.items()
        }
    return {name: SeenField(decide(name, shape).type, shape.seen) for name, shape in seen.columns.items()}
