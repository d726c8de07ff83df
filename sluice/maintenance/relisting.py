"""Outcomes that list other files than their table shows: after a compaction, or when a twin was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.outcome import StagedFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluice.maintenance.table_state import TableFile
    from sluice.outcome import Outcome


def relisted(outcome: Outcome, shown: Iterable[TableFile]) -> Outcome | None:
    """Return the outcome with the files that its table shows, or None if it lists them already.

    None, too, if they do not hold as many rows as were published: then the table is not what the outcome tells of.
    """
    files = tuple(
        StagedFile(key=file.key, records=file.records, size_bytes=file.size_bytes)
        for file in sorted(shown, key=lambda file: file.key)
    )
    listed = {file.key for file in outcome.files if file.records}
    if listed == {file.key for file in files} or sum(file.records for file in files) != outcome.published:
        return None
    return outcome.model_copy(update={"files": files})
