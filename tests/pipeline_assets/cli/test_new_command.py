from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline_assets.cli.conftest import Command

HEADER = "trip_id,started_at,fare\n"
ROWS = "".join(f"{number},2026-11-01T08:{number % 60:02}:00Z,{number}.50\n" for number in range(1, 121))


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "trips-2026-11-01.csv"
    path.write_text(HEADER + ROWS)
    return path


def test_a_new_dataset_runs_unchanged(sluice: Command, sample: Path) -> None:
    created = sluice("new", "trips", "--from", sample)
    landed = sluice("land", "trips", sample)
    run = sluice("run")

    assert (created.exit_code, landed.exit_code, run.exit_code) == (0, 0, 0), (
        created.output + landed.output + run.output
    )
    assert (sluice.datasets / "trips/contract.yaml").is_file()
    assert [(row["state"], row["published"]) for row in sluice.rows("status", "--dataset", "trips")] == [
        ("published", 120)
    ]


def test_what_it_prints_next_can_be_typed(sluice: Command, sample: Path) -> None:
    result = sluice("new", "trips", "--from", sample)

    assert f"sluice land trips {sample}\n" in result.stdout


def test_several_samples_follow_one_option(sluice: Command, sample: Path, tmp_path: Path) -> None:
    other = tmp_path / "trips-2026-11-02.csv"
    other.write_text(HEADER + "121,2026-11-02T08:00:00Z,1.125\n")

    result = sluice("new", "trips", "--from", sample, other)

    assert result.exit_code == 0
    assert "121 records" in result.stdout


def test_an_existing_contract_is_kept(sluice: Command, sample: Path) -> None:
    sluice("new", "trips", "--from", sample)
    contract = sluice.datasets / "trips/contract.yaml"
    contract.write_text("edited by hand")

    refused = sluice("new", "trips", "--from", sample)
    kept = contract.read_text()
    forced = sluice("new", "trips", "--from", sample, "--force")

    assert (refused.exit_code, kept) == (2, "edited by hand")
    assert "--force" in refused.stderr
    assert (forced.exit_code, contract.read_text() != kept) == (0, True)


@pytest.mark.parametrize(
    ("name", "samples", "says"),
    [
        pytest.param("trips", ["missing.csv"], "missing.csv does not exist", id="missing sample"),
        pytest.param("trips", ["."], "is a folder", id="folder"),
        pytest.param("Trips!", ["{sample}"], "Trips!", id="name"),
        pytest.param("orders", ["{sample}"], "orders/contract.yaml exists already", id="taken name"),
        pytest.param("trips", [], "Missing option '--from'", id="no sample"),
    ],
)
def test_what_nothing_can_be_inferred_from_is_refused(
    sluice: Command, sample: Path, name: str, samples: list[str], says: str
) -> None:
    options = [part for item in samples for part in ("--from", item.replace("{sample}", str(sample)))]

    result = sluice("new", name, *options)

    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert list(sluice.datasets.iterdir()) == []
