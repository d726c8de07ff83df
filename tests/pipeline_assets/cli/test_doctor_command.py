"""`sluice doctor` on this machine alone; tests/end_to_end/test_doctor_in_aws.py is about the rest."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from resources.sql_ledger import SqlLedger

if TYPE_CHECKING:
    from tests.pipeline_assets.cli.conftest import Command

SALES = Path(__file__).parents[2] / "cases" / "datasets" / "sales" / "contract.yaml"


def found(sluice: Command, what: str) -> dict[str, Any]:
    (row,) = [row for row in sluice.rows("doctor") if row["what"] == what]
    return row


def test_a_new_machine_is_well_and_stays_untouched(sluice: Command) -> None:
    result = sluice("doctor")

    assert result.exit_code == 0, result.output
    assert "not there yet; the first command makes it" in result.stdout
    assert not sluice.home.exists()


def test_a_ledger_is_told_by_its_schema(sluice: Command) -> None:
    sluice.home.mkdir()
    SqlLedger(f"sqlite:///{sluice.home / 'ledger.db'}")

    assert found(sluice, "ledger")["state"] == "good"
    assert "has schema" in found(sluice, "ledger")["found"]


@pytest.mark.parametrize(
    ("name", "content", "what", "says"),
    [
        pytest.param("ledger.db", b"no database at all" * 100, "ledger", "file is not a database", id="ledger"),
        pytest.param("dagster/dagster.yaml", b"storage: [", "dagster", "cannot be opened", id="dagster"),
    ],
)
def test_what_is_damaged_is_named_with_its_cure(
    sluice: Command, name: str, content: bytes, what: str, says: str
) -> None:
    damaged = sluice.home / name
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(content)

    result = sluice("doctor")

    assert result.exit_code == 1
    assert says in result.stdout
    assert f"x  {what}" in result.stdout


def test_a_ledger_of_a_newer_sluice_is_broken(sluice: Command) -> None:
    sluice.home.mkdir()
    SqlLedger(f"sqlite:///{sluice.home / 'ledger.db'}")
    with sqlite3.connect(sluice.home / "ledger.db") as connection:
        connection.execute("UPDATE ledger_schema SET version = 9999")
    connection.close()

    result = sluice("doctor")

    assert result.exit_code == 1
    assert "has schema 9999" in result.stdout


def test_a_wrong_contract_is_broken(sluice: Command) -> None:
    folder = sluice.datasets / "odd"
    folder.mkdir()
    (folder / "contract.yaml").write_text("id: odd\n")

    result = sluice("doctor")

    assert result.exit_code == 1
    assert "odd/contract.yaml" in result.stdout


def test_settings_that_mean_nothing_are_broken(sluice: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_ENV", "awz")

    result = sluice("doctor")

    assert result.exit_code == 1
    assert 'Did you mean "aws"?' in result.stdout


def test_the_password_of_a_ledger_is_not_shown(sluice: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_LEDGER_URL", "postgresql+psycopg2://sluice:hunter2@127.0.0.1:1/ledger")

    result = sluice("doctor")

    assert result.exit_code == 1
    assert "127.0.0.1" in result.stdout
    assert "hunter2" not in result.output


def test_a_home_that_is_a_file_is_broken(sluice: Command) -> None:
    sluice.home.write_text("a file")

    result = sluice("doctor")

    assert result.exit_code == 1
    assert "is not a folder" in result.stdout


def test_spark_is_looked_for_where_a_contract_asks_for_it(sluice: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_SPARK", "/opt/no-spark/bin/python")
    before = [row["what"] for row in sluice.rows("doctor")]
    folder = sluice.datasets / "sales"
    folder.mkdir()
    (folder / "contract.yaml").write_text(SALES.read_text().replace("start:", "engine: spark\n      start:"))

    result = sluice("doctor")

    assert "Spark" not in before
    assert result.exit_code == 1
    assert "there is no pyspark at /opt/no-spark/bin/python" in result.stdout
    assert "make spark" in result.stdout
