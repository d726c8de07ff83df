"""The bytes of published columns, from Iceberg metadata, are those of the Parquet footers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from sluice.contract import Column
from sluice.datatypes import Field, Struct, Text
from tests.resources.shop import COLUMNS, DAY, NEXT_DAY, ORDERS, contract_with, open_tables, stage

if TYPE_CHECKING:
    from pathlib import Path

    from sluice.outcome import Outcome


def in_footers(home: Path, outcome: Outcome) -> dict[str, int]:
    sizes: Counter[str] = Counter()
    for file in outcome.files:
        footer = pq.read_metadata(home / file.key)
        for number in range(footer.num_columns):
            column = footer.row_group(0).column(number)
            sizes[column.path_in_schema.split(".")[0]] += column.total_compressed_size
    return dict(sizes)


def test_each_partition_has_the_bytes_of_its_columns_nested_ones_summed(tmp_path: Path) -> None:
    tables = open_tables(tmp_path)
    orders = contract_with(*COLUMNS, Column("paid_by", Struct((Field("card", Text()), Field("bank", Text())))))
    first = stage(tmp_path, [1, 2, 3], contract=orders)
    second = stage(tmp_path, [4], day=NEXT_DAY, contract=orders)
    tables.publish(orders, first, 1)
    tables.publish(orders, second, 2)

    assert tables.column_bytes("orders") == {DAY: in_footers(tmp_path, first), NEXT_DAY: in_footers(tmp_path, second)}


def test_a_replaced_partition_has_the_bytes_of_its_new_files(tmp_path: Path) -> None:
    tables = open_tables(tmp_path)
    tables.publish(ORDERS, stage(tmp_path, list(range(500))), 1)
    again = stage(tmp_path, [1], fingerprint="b" * 16)
    tables.publish(ORDERS, again, 2)

    assert tables.column_bytes("orders") == {DAY: in_footers(tmp_path, again)}


def test_a_column_that_came_later_is_empty_in_older_partitions(tmp_path: Path) -> None:
    tables = open_tables(tmp_path)
    tables.publish(ORDERS, stage(tmp_path, [1]), 1)
    wider = contract_with(*COLUMNS, Column("note.text", Text()))
    tables.publish(wider, stage(tmp_path, [2], day=NEXT_DAY, contract=wider), 2)

    found = tables.column_bytes("orders")

    assert found[DAY]["note.text"] == 0
    assert found[NEXT_DAY]["note.text"] > 0


def test_a_table_that_is_not_there_has_no_bytes(tmp_path: Path) -> None:
    assert open_tables(tmp_path).column_bytes("orders") == {}
