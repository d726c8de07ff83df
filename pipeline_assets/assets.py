"""The factory: contracts in, every asset, check and job out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.asset_specs import daily_partitions
from pipeline_assets.derived import derived_assets
from pipeline_assets.landed import processed_assets, raw_asset
from pipeline_assets.staged_gates import staged_checks
from pipeline_assets.tables import table_asset
from sluice.derivation import in_build_order, inputs_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.contract import Contract


@dataclass(frozen=True, slots=True)
class DatasetAssets:
    """One dataset in Dagster; `job` builds one of its partitions from end to end."""

    assets: tuple[dg.AssetsDefinition, ...]
    checks: dg.AssetChecksDefinition
    job: UnresolvedAssetJobDefinition


def build_datasets(contracts: Mapping[str, Contract]) -> Mapping[str, DatasetAssets]:
    """Return every dataset's assets, inputs before what is derived from them."""
    starts: dict[str, date] = {}
    built = {}
    for contract in in_build_order(contracts):
        # A derived partition cannot be before the first partition of any of its inputs.
        starts[contract.dataset] = max([contract.start, *(starts[name] for name in inputs_of(contract, contracts))])
        built[contract.dataset] = _build_dataset(contract, contracts, daily_partitions(starts[contract.dataset]))
    return built


def job_name(dataset: str) -> str:
    return f"build_{dataset}"


def _build_dataset(
    contract: Contract, contracts: Mapping[str, Contract], partitions: dg.DailyPartitionsDefinition
) -> DatasetAssets:
    if contract.source:
        first_steps = [raw_asset(contract, contracts, partitions), processed_assets(contract, contracts, partitions)]
    else:
        first_steps = [derived_assets(contract, contracts, partitions)]
    assets = (*first_steps, table_asset(contract, contracts, partitions))
    job = dg.define_asset_job(
        job_name(contract.dataset),
        selection=dg.AssetSelection.assets(*assets),
        description=f"Builds one partition of {contract.dataset}, from what it reads to its table.",
        tags={"sluice/dataset": contract.dataset},
    )
    return DatasetAssets(assets, staged_checks(contract, partitions), job)
