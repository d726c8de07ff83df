"""`sluice maintain`: what it prints, what it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline_assets.cli.environment import Environment
from resources.clock import SystemClock
from resources.settings import Settings
from tests.resources.shop import ORDERS, stage

if TYPE_CHECKING:
    from tests.pipeline_assets.cli.conftest import Command


@pytest.fixture
def published(sluice: Command) -> str:
    """Publish a partition of a dataset of the project, and return the key of its file."""
    environment = Environment(Settings(sluice.home, ()), SystemClock(), sluice.home)
    outcome = stage(sluice.home, [1, 2], contract=ORDERS)
    environment.tables.publish(ORDERS, outcome, 1)
    return outcome.files[0].key


def test_without_tables_there_is_nothing_to_do(sluice: Command) -> None:
    result = sluice("maintain", "orders")

    assert result.exit_code == 0, result.output
    assert result.stdout == "orders: nothing to do\n"


def test_a_dry_run_says_that_it_changed_nothing(sluice: Command) -> None:
    assert sluice("maintain", "orders", "--dry-run").stdout.splitlines() == [
        "orders: nothing to do",
        "Nothing was changed.",
    ]


def test_an_unknown_dataset_is_a_usage_error(sluice: Command) -> None:
    assert sluice("maintain", "ordrs").exit_code == 2


def test_check_finds_every_published_file(sluice: Command, published: str) -> None:
    assert (sluice.home / published).exists()

    assert sluice("maintain", "orders", "--check").stdout == "Every published file is there.\n"


def test_check_names_a_file_that_is_gone_and_what_to_do(sluice: Command, published: str) -> None:
    (sluice.home / published).unlink()

    result = sluice("maintain", "orders", "--check")

    assert result.exit_code == 1
    assert f"orders 2026-11-20: {published} is gone" in result.stdout
    assert "sluice maintain" in result.stderr


def test_json_has_a_row_for_each_dataset(sluice: Command) -> None:
    (row,) = sluice.rows("maintain", "orders")

    assert (row["dataset"], row["files_removed"], row["lost"]) == ("orders", 0, [])
    assert [row["dataset"] for row in sluice.rows("maintain", "--dry-run")] == [
        row["dataset"] for row in sluice.rows("maintain")
    ]
