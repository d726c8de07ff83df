"""`sluice docs`: what it says, and which results it takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from sluice.expectations.expectation import Expectation
from sluice.expectations.results import Result
from sluice.expectations.stored import suite_text, validation_text

if TYPE_CHECKING:
    from tests.pipeline_assets.cli.conftest import Command

EXPECTATION = Expectation("expect_table_row_count_to_equal", '{"value": 1}', "One record")


def store(sluice: Command, dataset: str, partition: str) -> None:
    folder = sluice.home / f"quality/{dataset}/date={partition}/v1"
    folder.mkdir(parents=True)
    results = [Result(EXPECTATION, success=True, failing=None, observed='{"observed_value": 1}')]
    (folder / "suite.json").write_text(suite_text(dataset, [EXPECTATION]))
    validation = validation_text(dataset, partition, "v1", datetime(2026, 11, 3, tzinfo=UTC), results)
    (folder / "validation.json").write_text(validation)


def test_without_results_it_says_how_to_get_some(sluice: Command) -> None:
    result = sluice("docs")

    assert result.exit_code == 0
    assert "add `quality` to a contract" in result.stdout


def test_an_unknown_dataset_is_refused(sluice: Command) -> None:
    result = sluice("docs", "--dataset", "ordres")

    assert result.exit_code == 2
    assert 'Did you mean "orders"?' in result.stderr


@pytest.mark.slow
def test_the_site_is_built_from_everything_that_is_stored(sluice: Command) -> None:
    store(sluice, "orders", "2026-11-01")
    store(sluice, "orders", "2026-11-02")
    store(sluice, "customers", "2026-11-01")

    result = sluice("docs")

    assert result.exit_code == 0
    assert f"{sluice.home}/docs/index.html: 2 suites, 3 validations" in result.stdout
    assert (sluice.home / "docs/index.html").exists()


@pytest.mark.slow
def test_the_site_of_one_dataset_has_only_its_results(sluice: Command) -> None:
    store(sluice, "orders", "2026-11-01")
    store(sluice, "customers", "2026-11-01")

    result = sluice("docs", "--dataset", "orders")

    assert "1 suite, 1 validation" in result.stdout
    assert [path.name for path in (sluice.home / "docs/expectations").iterdir()] == ["orders.html"]
