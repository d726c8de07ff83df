"""Whether a partition was published in time, as a check on its table; the freshness sensor reports the same check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.check_report import partitioned_check, verdict_metadata
from sluice.freshness import CHECK_NAME, publication_verdict, stand_in_verdict

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.freshness import Freshness
    from sluice.gates.verdict import Verdict


def on_time_spec(asset: dg.AssetKey, partitions: dg.DailyPartitionsDefinition) -> dg.AssetCheckSpec:
    description = "Published by the time its contract promises; a sensor sees a breach even if nothing ever ran."
    return partitioned_check(CHECK_NAME, asset, description, partitions, blocking=False)


def on_time_result(
    freshness: Freshness, asset: dg.AssetKey, partition: str, first_published: datetime
) -> dg.AssetCheckResult:
    """A version that replaces one that was published in time is in time."""
    return _result(publication_verdict(freshness, partition, first_published), asset)


def not_yet_result(freshness: Freshness, asset: dg.AssetKey, partition: str, now: datetime) -> dg.AssetCheckResult:
    """What stands in does not keep the promise."""
    return _result(stand_in_verdict(freshness, partition, now), asset)


def _result(verdict: Verdict, asset: dg.AssetKey) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=CHECK_NAME,
        passed=verdict.holds,
        description=verdict.explanation,
        metadata=verdict_metadata(verdict),
    )
