"""The demo's contracts make of its files exactly what was announced: every defect is caught, and nothing else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sluice.contract_file import read_contract
from sluice.landing_demo import DAYS, Expected, expected
from sluice.manifest import RawObject, build_manifest
from sluice.transform import Transformed, transform

if TYPE_CHECKING:
    from sluice.landing_demo import DemoObject

CONTRACTS = Path(__file__).parents[3] / "pipeline_assets" / "datasets"
FIRST, LATE_DAY, CUT_OFF_DAY = str(DAYS[0]), str(DAYS[2]), str(DAYS[4])


def build(items: dict[str, DemoObject], dataset: str, partition: str, workspace: Path) -> Transformed:
    path = CONTRACTS / dataset / "contract.yaml"
    contract = read_contract(path.read_text(encoding="utf-8"), path=str(path))
    assert contract.source is not None
    objects = tuple(
        RawObject(item.key, "demo", len(item.body))
        for item in items.values()
        if (item.dataset, item.partition) == (dataset, partition)
    )
    manifest = build_manifest(dataset, partition, objects)
    return transform(
        contract, contract.source, manifest, lambda raw: io.BytesIO(items[raw.key].body), workspace, run_id="demo"
    )


def counts(built: Transformed) -> Expected:
    return Expected(
        sum(item.records_in for item in built.objects),
        sum(item.quarantined for item in built.objects),
        sum(item.duplicates for item in built.objects),
    )


@pytest.mark.parametrize(
    ("dataset", "partition"),
    [("orders", FIRST), ("customers", FIRST), ("payments", FIRST), ("orders", LATE_DAY), ("payments", CUT_OFF_DAY)],
)
def test_first_delivery_comes_to_what_was_announced(
    landed: dict[str, DemoObject], tmp_path: Path, dataset: str, partition: str
) -> None:
    built = build(landed, dataset, partition, tmp_path)

    assert counts(built) == expected(dataset, partition)
    assert built.records_published == expected(dataset, partition).published


@pytest.mark.parametrize(("dataset", "partition"), [("orders", LATE_DAY), ("payments", CUT_OFF_DAY)])
def test_late_and_repaired_objects_complete_their_partitions(
    in_the_end: dict[str, DemoObject], tmp_path: Path, dataset: str, partition: str
) -> None:
    built = build(in_the_end, dataset, partition, tmp_path)

    assert counts(built) == expected(dataset, partition, late=True, repaired=True)


def test_defects_are_of_many_kinds(landed: dict[str, DemoObject], tmp_path: Path) -> None:
    built = build(landed, "orders", FIRST, tmp_path)

    assert len({(reason.code, reason.column) for reason in built.reasons}) == 13
