"""Small files become one with the same rows, or nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from sluice.errors import CompactionUnfaithful
from sluice.maintenance import rewriting
from sluice.maintenance.rewriting import rewrite

if TYPE_CHECKING:
    from pathlib import Path

ROWS = """
    SELECT i AS id, (i * 7 % 5)::DECIMAL(10, 2) AS amount, TIMESTAMPTZ '2026-11-20 10:00:00+00' AS at,
           {'city': 'Bern'} AS ship_to, [{'sku': i::VARCHAR}] AS items, NULL::VARCHAR AS note,
           DATE '2026-11-20' AS partition_date
"""


def small(folder: Path, name: str, first: int, last: int, rows: str = ROWS) -> Path:
    path = folder / f"{name}.parquet"
    duckdb.sql(f"COPY ({rows} FROM range({first}, {last}) t(i)) TO '{path}' (FORMAT parquet)")
    return path


def rows(*files: Path) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT * FROM read_parquet({[str(file) for file in files]})").fetchall()


def test_all_rows_are_there_once_with_their_nested_values(tmp_path: Path) -> None:
    sources = [small(tmp_path, "a", 0, 50), small(tmp_path, "b", 40, 90)]

    assert rewrite(sources, tmp_path / "c.parquet") == 100

    assert sorted(map(str, rows(tmp_path / "c.parquet"))) == sorted(map(str, rows(*sources)))


def test_the_rows_are_sorted_as_the_contract_says(tmp_path: Path) -> None:
    rewrite([small(tmp_path, "a", 50, 90), small(tmp_path, "b", 0, 50)], tmp_path / "c.parquet", sort_by=["id"])

    assert [row[0] for row in rows(tmp_path / "c.parquet")] == list(range(90))


def test_files_with_other_columns_are_refused(tmp_path: Path) -> None:
    other = small(tmp_path, "b", 0, 5, "SELECT i::VARCHAR AS id")

    with pytest.raises(CompactionUnfaithful, match=r"orders 2026-11-20 .* same columns"):
        rewrite([small(tmp_path, "a", 0, 5), other], tmp_path / "c.parquet", partition="orders 2026-11-20")


def test_a_file_that_says_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources, found = [small(tmp_path, "a", 0, 5), small(tmp_path, "b", 5, 9)], iter([(9, 111), (9, 112)])
    monkeypatch.setattr(rewriting, "_checksum", lambda *_: next(found))  # DuckDB itself makes no such mistake

    with pytest.raises(CompactionUnfaithful, match="9 rows went in"):
        rewrite(sources, tmp_path / "c.parquet")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("SELECT i + 1 AS id", id="another value"),
        pytest.param("SELECT i AS id UNION ALL SELECT 0", id="a row more"),
    ],
)
def test_the_checksum_tells_rows_apart(tmp_path: Path, other: str) -> None:
    left, right = tmp_path / "l.parquet", tmp_path / "r.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT i AS id FROM range(9) t(i)) TO '{left}' (FORMAT parquet)")
        connection.execute(f"COPY (SELECT * FROM ({other.replace('AS id', 'AS id FROM range(9) t(i)')})) TO '{right}'")

        assert rewriting._checksum(connection, [left]) != rewriting._checksum(connection, [right])
