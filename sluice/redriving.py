"""The way back from quarantine: what a rebuild under another contract does to records that were rejected before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from sluice.outcome import Redriven, Superseded
from sluice.sql_types import quote_literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sluice.manifest import Manifest
    from sluice.outcome import ObjectBalance, Outcome
    from sluice.version import Version

_MEMORY_LIMIT = "600MB"

_SAME = 'now."object" = before."object" AND now.etag = before.etag AND now.line_no IS NOT DISTINCT FROM before.line_no'

_COUNTS = f"""
SELECT
    count(*) FILTER (WHERE NOT present) AS superseded,
    count(*) FILTER (WHERE present AND again) AS stayed,
    count(*) FILTER (WHERE present AND NOT again) AS returned
FROM (
    SELECT
        (before."object", before.etag) IN (SELECT (key, etag) FROM present) AS present,
        EXISTS (SELECT 1 FROM now WHERE {_SAME}) AS again
    FROM before
)"""

_SUPERSEDED = """
SELECT before."object", before.etag, count(*)
FROM before
WHERE (before."object", before.etag) NOT IN (SELECT (key, etag) FROM present)
GROUP BY ALL
ORDER BY ALL"""

_JOINED = f"""
SELECT now.* EXCLUDE (file_row_number, earlier_reasons, earlier_contract_version),
    before.reasons AS earlier_reasons, before.contract_version AS earlier_contract_version
FROM now LEFT JOIN before ON {_SAME}
ORDER BY now.file_row_number"""


def candidates(
    outcomes: Iterable[Outcome], *, partition: str | None = None, reason: str | None = None
) -> tuple[Outcome, ...]:
    """Return the published outcomes that have something in quarantine, of a date and for a reason if one is named."""
    return tuple(
        outcome
        for outcome in outcomes
        if outcome.quarantined
        and partition in {None, outcome.partition}
        and (reason is None or any(item.code == reason for item in outcome.reasons))
    )


def compare_objects(objects: Iterable[ObjectBalance], earlier: Outcome) -> Redriven | None:
    """Say the same from the balances of objects alone, where the rules are the same and judge each record by itself.

    Then an object that stayed as it was has the same records in quarantine. None when a balance says otherwise.
    """
    now = {item.key: item for item in objects}
    stayed, gone = 0, []
    for before in earlier.objects:
        present = now.get(before.key)
        if present is None or present.etag != before.etag:
            gone.append((before, present))
        elif present.quarantined != before.quarantined:
            return None
        else:
            stayed += present.quarantined
    closed_by = tuple(
        Superseded(key=old.key, etag=old.etag, records=old.quarantined, by=new.etag if new else None)
        for old, new in sorted(gone, key=lambda pair: pair[0].key)
        if old.quarantined
    )
    superseded = sum(item.records for item in closed_by)
    return Redriven(version=str(earlier.version), returned=0, stayed=stayed, superseded=superseded, closed_by=closed_by)


def compare(
    quarantine: Sequence[str], earlier: Path, manifest: Manifest, version: Version, target: Path | None = None
) -> Redriven:
    """Count what became of the records that were rejected before.

    With a `target`, the files of `quarantine` are written to it, every record with the reason that it had before.

    `earlier` is what `quarantine.copy_reasons` writes. A record is the same one if object, ETag and line are. An object
    that was rejected whole counts as one record, as it did then.
    """
    with duckdb.connect(
        config={"memory_limit": _MEMORY_LIMIT, "temp_directory": str(earlier.parent / "spill")}
    ) as base:
        base.execute(f"CREATE VIEW now AS SELECT * FROM {_files(quarantine, 'file_row_number = true')}")
        base.execute(f"CREATE VIEW before AS SELECT * FROM {_files([str(earlier)])}")
        objects = [[item.key for item in manifest.objects], [item.etag for item in manifest.objects]]
        listed = "unnest($1::VARCHAR[]) AS key, unnest($2::VARCHAR[]) AS etag"
        base.execute(f"CREATE TABLE present AS SELECT {listed}", objects)
        found = base.execute(_COUNTS).fetchone()
        assert found is not None  # noqa: S101  an aggregate without groups has one row
        superseded, stayed, returned = found
        gone = base.execute(_SUPERSEDED).fetchall() if superseded else []
        if target is not None:
            base.execute(f"COPY ({_JOINED}) TO {quote_literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
    present = {item.key: item.etag for item in manifest.objects}
    return Redriven(
        version=str(version),
        returned=returned,
        stayed=stayed,
        superseded=superseded,
        closed_by=tuple(
            Superseded(key=key, etag=etag, records=records, by=present.get(key)) for key, etag, records in gone
        ),
    )


def _files(paths: Sequence[str], *options: str) -> str:
    listed = f"[{', '.join(quote_literal(path) for path in paths)}]"
    return f"read_parquet({', '.join([listed, 'hive_partitioning = false', *options])})"
