"""How a contract appears in Dagster: keys, partitions, groups, owners, kinds, tags and descriptions of its assets."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipeline_assets.column_schema import column_schema
from sluice.consumers import consumers_of
from sluice.contract import CODE_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sluice.contract import Contract

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,61}[A-Za-z0-9_]|[A-Za-z0-9_]")


class Zone(StrEnum):
    RAW = "raw"
    PROCESSED = "processed"
    QUARANTINE = "quarantine"
    TABLES = "tables"


def asset_key(zone: Zone, dataset: str) -> dg.AssetKey:
    return dg.AssetKey([zone.value, dataset])


def daily_partitions(start: date) -> dg.DailyPartitionsDefinition:
    """UTC dates from `start` to today, today included: its files arrive all day."""
    return dg.DailyPartitionsDefinition(start_date=start.isoformat(), end_offset=1)


def code_version(contract: Contract) -> str:
    return f"{contract.fingerprint}-{CODE_VERSION}"


def asset_spec(
    zone: Zone,
    contract: Contract,
    partitions: dg.DailyPartitionsDefinition,
    *,
    deps: Iterable[dg.AssetKey] = (),
    automation: dg.AutomationCondition[Any] | None = None,  # Any: Dagster's own type parameter
) -> dg.AssetSpec:
    """Return what Dagster shows of one zone of a dataset."""
    return dg.AssetSpec(
        key=asset_key(zone, contract.dataset),
        deps=list(deps),
        partitions_def=partitions,
        description=_description(zone, contract),
        group_name=re.sub(r"[^A-Za-z0-9_]", "_", contract.domain),
        owners=_owners(contract),
        kinds=_kinds(zone, contract),
        tags={tag: "" for tag in contract.tags if _TAG.fullmatch(tag)} | {"sluice/dataset": contract.dataset},
        code_version=code_version(contract),
        automation_condition=automation,
        metadata=_metadata(zone, contract),
    )


def _description(zone: Zone, contract: Contract) -> str:
    match zone:
        case Zone.RAW:
            pattern = contract.source.pattern if contract.source else ""
            return f"The files of `{contract.dataset}` as they landed at `{pattern}`, never changed."
        case Zone.PROCESSED:
            return f"Checked, typed and deduplicated records of `{contract.dataset}`, staged but not yet visible."
        case Zone.QUARANTINE:
            return f"Records of `{contract.dataset}` that were rejected, with their original bytes and every reason."
        case Zone.TABLES:
            key = f"\n\nOne row per `{', '.join(contract.primary_key)}`." if contract.primary_key else ""
            return (contract.description or f"The published table `{contract.dataset}`.") + key


def _owners(contract: Contract) -> list[str]:
    """Dagster takes e-mail addresses and teams; a name that is neither becomes a team."""
    if not contract.owner:
        return []
    if _EMAIL.fullmatch(contract.owner):
        return [contract.owner]
    return [f"team:{re.sub(r'[^A-Za-z0-9_]', '_', contract.owner)}"]


def _kinds(zone: Zone, contract: Contract) -> set[str]:
    """Name the zone among the kinds: the lineage graph shows of a key only its last part, the dataset."""
    match zone:
        case Zone.RAW:
            return {"raw", contract.source.format.value} if contract.source else {"raw"}
        case Zone.PROCESSED:
            return {"processed", "duckdb", "parquet"}
        case Zone.QUARANTINE:
            return {"quarantine", "parquet"}
        case Zone.TABLES:
            return {"table", "iceberg"}


def _metadata(zone: Zone, contract: Contract) -> dict[str, Any]:  # Any: metadata values are of many types
    shown: dict[str, Any] = {"contract": contract.path, "contract version": contract.version}
    if zone is Zone.RAW and contract.source:
        shown["location"] = contract.source.pattern
    if zone in {Zone.PROCESSED, Zone.TABLES}:
        shown["dagster/column_schema"] = column_schema(contract)
    if zone is Zone.TABLES:
        shown |= {"dagster/table_name": f"sluice.{contract.dataset}", "dagster/storage_kind": "iceberg"}
        shown |= {"support": ", ".join(channel.url or channel.channel for channel in contract.support)}
        if contract.consumers:
            people = (str(item) for item in consumers_of({contract.dataset: contract}, (contract.dataset,)))
            shown["consumers"] = "; ".join(people)
    return shown
