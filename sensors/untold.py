"""Tells Dagster of a publication whose run was killed before it could: the table holds it, nothing is built again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)

from sensors.runs import datasets_of
from sluice.backfill.chunk import CHUNK_TAG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.history import Published
    from sluice.outcome import Outcome


class Ledger(Protocol):
    def published(self, dataset: str, partition: str) -> Published | None: ...


def tell_published(instance: dg.DagsterInstance, ledger: Ledger, run: dg.DagsterRun) -> bool:
    """Report what this killed run has published and did not report; say whether there was any. Done twice, it is once.

    The run may be a chunk: it reports each partition before it begins the next, so only its last one can be untold.
    """
    partition = run.tags.get("dagster/partition")
    if CHUNK_TAG in run.tags:
        partition = _begun_last(instance, run)
    if not partition:
        return False
    found = [ledger.published(dataset, partition) for dataset in datasets_of(run)]
    untold = [item for item in found if item and not _is_told(instance, item.outcome)]
    for published in untold:
        instance.report_runless_asset_event(_materialization(instance, published, run))
    return bool(untold)


def _begun_last(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    planned = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    records = instance.get_records_for_run(run.run_id, of_type=planned, limit=1, ascending=False).records
    events = [record.event_log_entry.dagster_event for record in records]
    return events[0].partition if events and events[0] else None


def _is_told(instance: dg.DagsterInstance, outcome: Outcome) -> bool:
    newest = _fetch_newest(instance, dg.AssetKey(["tables", outcome.dataset]), outcome.partition)
    made = newest.asset_materialization if newest else None
    return made is not None and (made.tags or {}).get(DATA_VERSION_TAG) == str(outcome.version)


def _materialization(instance: dg.DagsterInstance, published: Published, run: dg.DagsterRun) -> dg.AssetMaterialization:
    outcome = published.outcome
    return dg.AssetMaterialization(
        dg.AssetKey(["tables", outcome.dataset]),
        partition=outcome.partition,
        metadata={
            "rows": outcome.published,
            "dagster/partition_row_count": outcome.published,
            "bytes": outcome.bytes_out,
            "snapshot": str(published.snapshot_id),
            "published by": dg.MetadataValue.dagster_run(run.run_id),
        },
        tags={
            CODE_VERSION_TAG: f"{outcome.contract_fingerprint}-{outcome.code_version}",
            DATA_VERSION_TAG: str(outcome.version),
            DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
            **_input_tags(instance, outcome),
        },
    )


def _input_tags(instance: dg.DagsterInstance, outcome: Outcome) -> Mapping[str, str]:
    """Without them Dagster would show the table as older than what it was made of."""
    processed = dg.AssetKey(["processed", outcome.dataset])
    newest = _fetch_newest(instance, processed, outcome.partition)
    if newest is None:
        return {}
    return {
        get_input_data_version_tag(processed): hashlib.sha256(str(outcome.version).encode()).hexdigest(),
        get_input_event_pointer_tag(processed): str(newest.storage_id),
    }


def _fetch_newest(instance: dg.DagsterInstance, key: dg.AssetKey, partition: str) -> dg.EventLogRecord | None:
    asked = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition])
    return next(iter(instance.fetch_materializations(asked, limit=1).records), None)
