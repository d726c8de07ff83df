"""What Parquet footers tell without reading a value: records, row groups, bytes and nulls of columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.profile.staged_schema import staged_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa
    from pyarrow.parquet import ColumnChunkMetaData, FileMetaData

    from sluice.profile.staged_schema import StagedSchema


@dataclass(frozen=True, slots=True)
class Footer:
    """One file, or several added up. `nulls` lacks nested columns and those whose nulls a footer does not tell."""

    row_group_records: tuple[int, ...]
    schema: StagedSchema
    column_bytes: Mapping[str, int]
    nulls: Mapping[str, int]


def read_footer(path: str) -> Footer:
    # Sensors import what imports this module; pyarrow takes a quarter of a second.
    import pyarrow.parquet as pq

    return _footer(pq.read_metadata(path))


def total_column_bytes(footers: Iterable[Footer]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for footer in footers:
        total.update(footer.column_bytes)
    return dict(total)


def total_nulls(footers: Iterable[Footer]) -> Mapping[str, int]:
    """Return the nulls of the columns that every footer tells."""
    told = [footer.nulls for footer in footers]
    names = [name for name in (told[0] if told else ()) if all(name in nulls for nulls in told)]
    return {name: sum(nulls[name] for nulls in told) for name in names}


def _footer(metadata: FileMetaData) -> Footer:
    schema = metadata.schema.to_arrow_schema()
    leaves = [field for field in schema for _ in range(_leaf_count(field.type))]
    column_bytes: Counter[str] = Counter({field.name: 0 for field in schema})
    nulls: Counter[str] = Counter({field.name: 0 for field in schema if not _is_nested(field.type)})
    for number, chunk in _chunks(metadata):
        name = leaves[number].name
        column_bytes[name] += chunk.total_compressed_size
        if name in nulls:
            counted = chunk.statistics.null_count if chunk.statistics else None
            if counted is None:
                del nulls[name]
            else:
                nulls[name] += counted
    groups = tuple(metadata.row_group(number).num_rows for number in range(metadata.num_row_groups))
    return Footer(groups, staged_schema(schema), column_bytes, nulls)


def _chunks(metadata: FileMetaData) -> Iterator[tuple[int, ColumnChunkMetaData]]:
    for group_number in range(metadata.num_row_groups):
        group = metadata.row_group(group_number)
        yield from ((number, group.column(number)) for number in range(metadata.num_columns))


def _leaf_count(kind: pa.DataType) -> int:
    """Parquet stores leaves in the order of the schema; a path in dots would be ambiguous, as names may hold dots."""
    return sum(_leaf_count(kind.field(number).type) for number in range(kind.num_fields)) if _is_nested(kind) else 1


def _is_nested(kind: pa.DataType) -> bool:
    return kind.num_fields > 0
