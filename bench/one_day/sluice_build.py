"""All that happens to a partition between its manifest and the published table, without Dagster."""

from __future__ import annotations

from pathlib import Path

from bench.one_day.measuring import measured
from pipeline_assets.staging import build_partition
from resources.clock import SystemClock
from resources.iceberg_tables import IcebergTables
from resources.local_catalog import open_local_catalog
from resources.object_store import LocalObjectStore
from sluice.contract_file import read_contract
from sluice.gates.evidence import StagedEvidence
from sluice.gates.records_are_conserved import judge
from sluice.manifest import RawObject, build_manifest
from sluice.profile import Profile

CONTRACT = Path(__file__).parents[1] / "contract_orders.yaml"
PARTITION = "2026-11-01"


def build_and_publish(folder: Path, workspace: Path) -> None:
    contract = read_contract(CONTRACT.read_text(), path=str(CONTRACT))
    landing = workspace / "raw" / contract.dataset / f"date={PARTITION}"
    landing.parent.mkdir(parents=True)
    landing.symlink_to(folder, target_is_directory=True)
    store = LocalObjectStore(workspace)
    keys = [f"raw/{contract.dataset}/date={PARTITION}/{file.name}" for file in sorted(folder.glob("*.gz"))]
    objects = tuple(RawObject(key, store.etag(key) or "", 0) for key in keys)
    outcome = build_partition(
        contract=contract,
        manifest=build_manifest(contract.dataset, PARTITION, objects),
        store=store,
        scratch=workspace / "scratch",
        run_id="bench",
        clock=SystemClock(),
    )
    verdict = judge(StagedEvidence(contract, outcome, Profile()))
    if not verdict.holds:
        raise SystemExit(verdict.explanation)
    IcebergTables(open_local_catalog(workspace / "catalog.db", workspace / "tables"), store).publish(
        contract, outcome, 1
    )


if __name__ == "__main__":
    measured(build_and_publish)
