"""What is left to do for a partition as it is now: to build it, or to see that building it again gives the same."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipeline_assets.local_files import local_files
from pipeline_assets.opened_ahead import opened_ahead
from sluice.contract import CODE_VERSION, PARTITION_COLUMN
from sluice.duckdb_sessions import Limits, connect
from sluice.rows_compared import RowsDigest, digest_rows
from sluice.transform import transform
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline_assets.ports import Ledger, ReplayableTables, Store
    from pipeline_assets.replay import Newest
    from sluice.contract import Contract
    from sluice.manifest import Manifest
    from sluice.outcome import Outcome

_QUARANTINED = ("object", "etag", "line_no", "raw", "reasons")
_LIMITS = Limits()


class Standing(StrEnum):
    """Where a partition stands before its arrival is sent again."""

    DUE = "due"  # the table lacks this version: it is to be built
    SAME = "same"  # built again, it is what is published and in quarantine
    DIFFERS = "differs"
    REWOUND = "rewound"  # this version was taken back, and stays so
    GONE = "gone"  # its files are gone from the raw zone


@dataclass(frozen=True, slots=True)
class Again:
    partition: str
    standing: Standing
    compared: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is published and in quarantine, and what building it again comes to."""

    shown: RowsDigest
    rebuilt: RowsDigest
    in_quarantine: RowsDigest
    rejected_again: RowsDigest

    @property
    def is_same(self) -> bool:
        return (self.shown, self.in_quarantine) == (self.rebuilt, self.rejected_again)


def look_again(
    contract: Contract, newest: Newest, store: Store, ledger: Ledger, tables: ReplayableTables, scratch: Path
) -> Again:
    """Compare what is published of the newest manifest with what building it again gives; nothing is changed."""
    manifest = newest.manifest
    partition, wanted = manifest.partition, Version(manifest.fingerprint, contract.fingerprint, CODE_VERSION)
    if not newest.is_there:
        return Again(partition, Standing.GONE)
    held, published = tables.held(contract.dataset, partition), ledger.published(contract.dataset, partition)
    if held is None or published is None or not held.version == published.outcome.version == wanted:
        is_rewound = wanted in tables.taken_back(contract.dataset).get(partition, ())
        return Again(partition, Standing.REWOUND if is_rewound else Standing.DUE)
    files = tables.files(contract.dataset, partition)
    compared = compare_rebuilt(contract, manifest, published.outcome, files, store, scratch)
    return Again(partition, Standing.SAME if compared.is_same else Standing.DIFFERS, compared)


def compare_rebuilt(
    contract: Contract, manifest: Manifest, outcome: Outcome, files: Sequence[str], store: Store, scratch: Path
) -> Comparison:
    """Build all of it anew, without what is staged; `files` are those that the table shows. Nothing is changed.

    Raises RawObjectChanged when an object is not the manifest's.
    """
    assert contract.source is not None  # noqa: S101  only landed datasets come here
    columns = [*(column.name for column in contract.columns), PARTITION_COLUMN]
    quarantine = [store.uri(file.key) for file in outcome.quarantine_files]
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch, prefix="replay-") as folder:
        workspace = Path(folder) / "build"
        workspace.mkdir()
        with opened_ahead(store, manifest.objects) as open_object:
            done = transform(
                contract, contract.source, manifest, open_object, workspace, run_id="replay", limits=_LIMITS
            )
        rebuilt = [str(done.published)] if done.records_published else []
        rejected = [str(done.quarantine)] if done.records_quarantined else []
        with (
            local_files(store, files, scratch) as shown,
            local_files(store, quarantine, scratch) as quarantined,
            closing(connect(Path(folder), _LIMITS)) as connection,
        ):
            return Comparison(
                shown=digest_rows(connection, shown(), columns),
                rebuilt=digest_rows(connection, rebuilt, columns),
                in_quarantine=digest_rows(connection, quarantined(), _QUARANTINED),
                rejected_again=digest_rows(connection, rejected, _QUARANTINED),
            )
