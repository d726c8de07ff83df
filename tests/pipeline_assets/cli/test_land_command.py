from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline_assets.cli.conftest import Command

LINE = '{"order_id": 1}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders-2026-11-02.jsonl.gz"
    path.write_text(LINE)
    return path


def test_a_file_lands_on_the_date_in_its_name(sluice: Command, file: Path) -> None:
    result = sluice("land", "orders", file)

    landed = sluice.home / "raw/orders/date=2026-11-02/orders-2026-11-02.jsonl.gz"
    assert result.exit_code == 0
    assert "date from the file's name" in result.stdout
    assert landed.read_text() == file.read_text() == LINE


def test_several_files_land_on_the_date_asked_for(sluice: Command, tmp_path: Path) -> None:
    names = ["a.csv", "b.csv"]
    files = [tmp_path / name for name in names]
    [path.write_text("customer_id\n") for path in files]

    result = sluice("land", "customers", *files, "--date", "2026-11-05")

    folder = sluice.home / "raw/customers/2026/11/05"
    assert result.exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == names


def test_the_same_file_again_is_already_there(sluice: Command, file: Path) -> None:
    sluice("land", "orders", file)

    result = sluice("land", "orders", file)

    assert result.exit_code == 0
    assert "already there" in result.stdout


def test_other_content_under_the_same_name_needs_replace(sluice: Command, file: Path) -> None:
    sluice("land", "orders", file)
    file.write_text("changed")

    refused = sluice("land", "orders", file)
    replaced = sluice("land", "orders", file, "--replace")

    assert refused.exit_code == 2
    assert "--replace" in refused.stderr
    assert "replaced" in replaced.stdout
    assert (sluice.home / "raw/orders/date=2026-11-02" / file.name).read_text() == "changed"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["ordrs", "{file}"], 'Did you mean "orders"?', id="unknown dataset"),
        pytest.param(["orders", "missing.jsonl.gz"], "missing.jsonl.gz does not exist", id="missing file"),
        pytest.param(["orders", "."], "is a folder", id="folder"),
        pytest.param(["orders", "{file}", "--date", "2999-01-01"], "in the future", id="future"),
        pytest.param(["orders", "{file}", "--date", "2001-01-01"], "before the first partition", id="too early"),
        pytest.param(["orders", "{file}", "--date", "soon"], '"soon" in --date is not a date', id="no date"),
        pytest.param(["customers", "{file}"], "Rename the file so that it matches", id="name that does not match"),
        pytest.param(["daily_revenue", "{file}"], "derived by its transform.sql", id="derived dataset"),
        pytest.param(["orders", "{file}", "{file}"], "would both become", id="one name twice"),
        pytest.param(["orders"], "Missing argument", id="no file"),
    ],
)
def test_what_cannot_land_is_refused_before_anything_is_copied(
    sluice: Command, file: Path, arguments: list[str], says: str
) -> None:
    result = sluice("land", *(item.replace("{file}", str(file)) for item in arguments))

    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert not sluice.home.exists()


def test_debug_shows_where_an_error_comes_from(sluice: Command) -> None:
    result = sluice("--debug", "land", "ordrs", "file")

    assert type(result.exception).__name__ == "DatasetUnknown"
