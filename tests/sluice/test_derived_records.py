"""A transform.sql sees its inputs as their contracts declare them, whatever age their data files have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice.contract import Column, Contract
from sluice.datatypes import Integer, Text
from sluice.derived_records import write_derived
from sluice.duckdb_sessions import Limits
from sluice.errors import TransformInvalid

if TYPE_CHECKING:
    from pathlib import Path

ORDERS = Contract("orders", "1.1.0", (Column("id", Integer()), Column("channel", Text())))
CHANNELS = Contract(
    "channels",
    "1.0.0",
    (Column("id", Integer()), Column("channel", Text())),
    transform_sql="SELECT id, channel FROM orders",
    path="/datasets/channels/contract.yaml",
)


def test_column_that_a_data_file_has_not_yet_reads_null(tmp_path: Path) -> None:
    old = tmp_path / "old.parquet"
    pq.write_table(pa.table({"id": pa.array([1], pa.int64())}), old)

    write_derived(CHANNELS, {"orders": (ORDERS, [str(old)])}, tmp_path / "rows.parquet", Limits())

    assert pq.read_table(tmp_path / "rows.parquet").to_pylist() == [{"id": 1, "channel": None}]


def test_input_without_data_files_is_an_empty_table(tmp_path: Path) -> None:
    write_derived(CHANNELS, {"orders": (ORDERS, [])}, tmp_path / "rows.parquet", Limits())

    assert pq.read_table(tmp_path / "rows.parquet").num_rows == 0


def test_columns_that_are_not_the_contracts_are_named(tmp_path: Path) -> None:
    wrong = replace(CHANNELS, transform_sql="SELECT id, channel AS chanel FROM orders")

    with pytest.raises(TransformInvalid, match=r"transform\.sql.*lacking: channel; undeclared: chanel"):
        write_derived(wrong, {"orders": (ORDERS, [])}, tmp_path / "rows.parquet", Limits())
