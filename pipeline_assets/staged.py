"""Which outcome of a partition is staged: the one in the latest materialization of its processed asset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipeline_assets.asset_specs import Zone, asset_key
from sluice.errors import StagedFilesMissing
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.contract import Contract

_SEQUENCE = "sequence"
_NEWEST = 10  # more than runs that can be at work on one partition at once


@dataclass(frozen=True, slots=True)
class Staged:
    """A staged version, and the arrival sequence of what it was built from."""

    version: Version
    sequence: int


def staged_result(contract: Contract, staged: Staged, metadata: Mapping[str, Any]) -> dg.MaterializeResult[None]:
    """Return what makes `fetch_staged` find this version again, in this run or in a later one."""
    return dg.MaterializeResult(
        asset_key=asset_key(Zone.PROCESSED, contract.dataset),
        data_version=dg.DataVersion(str(staged.version)),
        metadata={**metadata, _SEQUENCE: str(staged.sequence)},  # as text, for a number would be plotted
    )


def fetch_staged(instance: dg.DagsterInstance, contract: Contract, partition: str, run_id: str) -> Staged:
    """Return the version that this run staged, or else the one that was staged last; raises StagedFilesMissing.

    The ledger's latest manifest would not do, nor what another run has staged meanwhile: that one publishes it.
    """
    key = asset_key(Zone.PROCESSED, contract.dataset)
    asked = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition])
    records = instance.fetch_materializations(asked, limit=_NEWEST).records
    record = next((item for item in records if item.run_id == run_id), records[0] if records else None)
    materialization = record.asset_materialization if record else None
    version = (materialization.tags or {}).get("dagster/data_version") if materialization else None
    sequence = materialization.metadata.get(_SEQUENCE) if materialization else None
    if version is None or sequence is None:
        raise StagedFilesMissing(key=f"processed/{contract.dataset}/date={partition}", problem="was never staged")
    return Staged(Version.parse(version), int(str(sequence.value)))
