"""A profile: what is measured of a staged partition, once, and judged by gates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FileShape:
    """One Parquet file from its footer."""

    key: str
    size_bytes: int
    records: int
    row_group_records: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """`schema` is (column, type as DuckDB names it); `nulls` counts per column; `repeated_keys` are records too many.

    `metrics` has a value for each metric that is always measured or that the contract names, by `str(Metric)`; a
    metric that has no value (the mean of no values) is left out. `column_bytes` are compressed. Nested columns are in
    `nulls` only if the contract limits them. Where `schema` is not what the contract declares, no value is read: there
    are no metrics of columns, and `repeated_keys` is 0.
    """

    files: tuple[FileShape, ...] = ()
    schema: tuple[tuple[str, str], ...] = ()
    nulls: Mapping[str, int] = field(default_factory=dict)
    repeated_keys: int = 0
    repeated_key_sample: tuple[Mapping[str, str | int | float | None], ...] = ()
    column_bytes: Mapping[str, int] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def records(self) -> int:
        return sum(file.records for file in self.files)
