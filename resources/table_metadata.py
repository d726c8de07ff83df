"""Iceberg metadata changed without copying it: pyiceberg copies every snapshot, and a table has hundreds.

Leans on names that pyiceberg keeps to itself; pyproject.toml pins the minor version.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyiceberg.catalog import MetastoreCatalog
from pyiceberg.table import StagedTable
from pyiceberg.table.locations import load_location_provider
from pyiceberg.table.update import _apply_table_update, _TableMetadataUpdateContext, _update_table_metadata_log
from pyiceberg.utils.datetime import datetime_to_millis

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.update import TableRequirement, TableUpdate
    from pyiceberg.typedef import Identifier


def updated(base: TableMetadata, updates: Iterable[TableUpdate]) -> TableMetadata:
    """Return what the updates make of `base`; both share what did not change, so neither may be changed in place."""
    context = _TableMetadataUpdateContext()
    for update in updates:
        base = _apply_table_update(update, base, context)
    return base


class LeanCommits(MetastoreCatalog):
    """To be mixed into a catalog in front of it: what it commits was read for this commit alone."""

    def _update_and_stage_table(
        self,
        current_table: Table | None,
        table_identifier: Identifier,
        requirements: tuple[TableRequirement, ...],
        updates: tuple[TableUpdate, ...],
    ) -> StagedTable:
        if current_table is None:
            return super()._update_and_stage_table(current_table, table_identifier, requirements, updates)
        base, location = current_table.metadata, current_table.metadata_location
        for requirement in requirements:
            requirement.validate(base)
        metadata = updated(base, updates)
        if metadata is not base:
            metadata = _update_table_metadata_log(metadata, location, base.last_updated_ms)
        if metadata.last_updated_ms == base.last_updated_ms:  # only a new snapshot brings a time of its own
            metadata = metadata.model_copy(update={"last_updated_ms": datetime_to_millis(datetime.now(UTC))})
        metadata.spec().check_compatible(metadata.schema())
        metadata.sort_order().check_compatible(metadata.schema())
        provider = load_location_provider(metadata.location, metadata.properties)
        target = provider.new_table_metadata_file_location(self._parse_metadata_version(location) + 1)
        return StagedTable(
            identifier=table_identifier,
            metadata=metadata,
            metadata_location=target,
            io=self._load_file_io(properties=metadata.properties, location=target),
            catalog=self,
        )
