"""The columns of samples whose records are JSON objects: JSON Lines, and Parquet rows as the reader writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import orjson

from sluice.inference.shape import NumberText

if TYPE_CHECKING:
    from sluice.inference.observation import Observation, SampleReading

_DECODER = json.JSONDecoder(parse_int=NumberText, parse_float=NumberText)


def observe_json(reading: SampleReading, seen: Observation) -> None:
    """Add all records of one sample to `seen`."""
    for batch in reading.batches(seen):
        for line in map(str, batch.column("line").to_pylist()):
            record = _parse(line)
            if record is None:
                seen.broken += 1
            else:
                _add(record, seen)
                seen.keep(line)


def _parse(line: str) -> dict[str, object] | None:
    """Return a JSON object with its numbers as they were written, or None if the line is no object."""
    try:
        if "\\u" in line:
            orjson.loads(line)  # refuses halves of surrogate pairs, as DuckDB does and Python does not
        value = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _add(record: dict[str, object], seen: Observation) -> None:
    seen.records += 1
    seen.candidates.add(record)
    for name, value in record.items():
        if (column := seen.column(name)) is not None:
            column.add(value)
