"""`sluice generate`: what it says it made is what a build finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline_assets.cli.conftest import Command

TWO_DAYS = ("--dates", "2026-11-03..2026-11-04", "--files", 2)
SHARES = ("--bad-share", 0.04, "--duplicate-share", 0.05)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.long
def test_a_build_of_generated_files_comes_to_what_was_said(sluice: Command) -> None:
    said = sluice.rows("generate", "orders", *TWO_DAYS, "--rows-per-file", 500, *SHARES)

    built = sluice("run")

    assert built.exit_code == 0, built.output
    found = sluice.rows(
        "query", "select partition_date as day, count(*) as orders from orders group by day order by day"
    )
    rejected = sluice.rows("quarantine", "list")
    assert [row["orders"] for row in found] == [2 * (500 - 20 - 25)] * 2
    assert [(item["rows"], item["bad"], item["duplicates"]) for item in said] == [(500, 20, 25)] * 4
    assert {row["object"] for row in rejected} == {item["key"] for item in said}


def test_the_number_of_workers_changes_nothing(sluice: Command, tmp_path: Path) -> None:
    for_all = ("generate", "orders", *TWO_DAYS, "--rows-per-file", 50, *SHARES)

    alone = sluice(*for_all, "--to", tmp_path / "alone")
    together = sluice(*for_all, "--to", tmp_path / "together", "--workers", 2)

    assert alone.stdout == together.stdout
    assert contents(tmp_path / "alone") == contents(tmp_path / "together")
    assert len(contents(tmp_path / "alone")) == 4


def test_the_same_order_again_changes_nothing(sluice: Command) -> None:
    sluice("generate", "orders", *TWO_DAYS)

    again = sluice("generate", "orders", *TWO_DAYS)

    assert again.exit_code == 0
    assert "4 files of them had been there already" in again.stdout


def test_another_order_for_the_same_files_is_refused(sluice: Command) -> None:
    sluice("generate", "orders", *TWO_DAYS)

    other = sluice("generate", "orders", *TWO_DAYS, "--bad-share", 0.5)

    assert other.exit_code == 2
    assert "Choose another --seed" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--dates", "november"], '"november" in --dates is not a date', id="no date"),
        pytest.param(["--dates", "2026-11-04..2026-11-03"], "at least one date", id="backwards"),
        pytest.param(["--dates", "2026-11-03", "--bad-share", "2"], "from 0 to 1", id="share"),
        pytest.param(["--dates", "2001-01-01"], "before the first partition", id="too early"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_written(
    sluice: Command, arguments: list[str], says: str
) -> None:
    refused = sluice("generate", "orders", *arguments)

    assert refused.exit_code == 2
    assert says in " ".join(refused.stderr.split())
    assert not sluice.home.exists()
