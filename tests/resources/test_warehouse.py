"""SQL over published tables, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resources.iceberg_tables import IcebergTables
from resources.ledger import Published
from resources.local_catalog import open_local_catalog
from resources.memory_ledger import MemoryLedger
from resources.object_store import LocalObjectStore
from resources.remote_files import RemoteFiles
from resources.s3_store import S3ObjectStore
from resources.warehouse import Warehouse, quarantine_files
from sluice.contract import Column
from sluice.datatypes import Field, Integer, Struct, Text
from sluice.errors import QueryInvalid, QueryRefused, TableUnknown
from sluice.outcome import StagedFile
from sluice.quarantine import SCHEMA
from tests.resources.shop import COLUMNS, DAY, NEXT_DAY, ORDERS, contract_with, open_tables, stage

if TYPE_CHECKING:
    from pathlib import Path

    from resources.object_store import ObjectStore
    from sluice.outcome import Outcome
    from tests.aws_server import AwsServer

PAYMENTS = contract_with(*COLUMNS, dataset="payments")


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.aws)])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    """Two orders on one day, three on the next, no payments but one that was rejected."""
    ledger = MemoryLedger()
    orders = [stage(tmp_path, [1, 2]), stage(tmp_path, [3, 4, 5], day=NEXT_DAY)]
    payments = _with_rejected(tmp_path, stage(tmp_path, [], contract=PAYMENTS, rejected=1))
    tables, store, remote = (
        _in_s3(request.getfixturevalue("aws"), tmp_path)
        if request.param == "s3"
        else (open_tables(tmp_path), LocalObjectStore(tmp_path), None)
    )
    tables.publish(ORDERS, orders[0], 1)
    tables.publish(ORDERS, orders[1], 2)
    tables.publish(PAYMENTS, payments, 3)
    ledger.record(Published(payments, 1, datetime(2026, 11, 21, tzinfo=UTC)))
    return Warehouse(tables, quarantine_files(ledger, store.uri), tmp_path / "scratch", remote)


def _in_s3(aws: AwsServer, home: Path) -> tuple[IcebergTables, ObjectStore, RemoteFiles]:
    """Move what is staged to S3; the catalog stays."""
    place = aws.place(aws.new_bucket(f"warehouse-{uuid4().hex}"), "lake/")
    store = S3ObjectStore(place)
    for file in home.glob("*/**/*.parquet"):
        store.put(str(file.relative_to(home)), file)
    catalog = open_local_catalog(home / "catalog.db", home / "tables", place.iceberg_properties())
    return IcebergTables(catalog, store, longest_pause_seconds=0.5), store, RemoteFiles(place)


def _with_rejected(home: Path, outcome: Outcome) -> Outcome:
    key = f"quarantine/payments/date={DAY}/{outcome.version}/part-0.parquet"
    path = home / key
    path.parent.mkdir(parents=True)
    record = {"object": "payments/1.jsonl", "line_no": 7, "raw": b"{oops", "partition_date": date.fromisoformat(DAY)}
    pq.write_table(pa.Table.from_pylist([record], SCHEMA), path)
    return outcome.model_copy(
        update={"quarantine_files": (StagedFile(key=key, records=1, size_bytes=path.stat().st_size),)}
    )


class TestQuery:
    def test_a_table_is_queried_by_its_name(self, warehouse: Warehouse) -> None:
        answer = warehouse.query("SELECT partition_date, count(*) AS n FROM orders GROUP BY ALL ORDER BY ALL")

        assert answer.to_pylist() == [
            {"partition_date": date.fromisoformat(DAY), "n": 2},
            {"partition_date": date.fromisoformat(NEXT_DAY), "n": 3},
        ]

    @pytest.mark.parametrize(
        "sql",
        [
            pytest.param("select count(*) from ORDERS", id="case"),
            pytest.param('select count(*) from "orders";', id="quoted"),
            pytest.param("with orders as (select * from orders) select count(*) from orders", id="shadowed"),
            pytest.param("select count(*) from orders o left join payments p using (order_id)", id="joined"),
            pytest.param("select count(*) from (from orders union all from payments)", id="union"),
            pytest.param("select (select count(*) from main.orders)", id="subquery"),
            pytest.param("select count(*) -- ;\nfrom orders", id="comment"),
        ],
    )
    def test_tables_are_found_wherever_they_are_named(self, warehouse: Warehouse, sql: str) -> None:
        assert warehouse.query(sql).column(0).to_pylist() == [5]

    def test_a_pivot_is_a_query(self, warehouse: Warehouse) -> None:
        assert warehouse.query("PIVOT orders ON partition_date USING count(*) GROUP BY amount").num_rows == 1

    def test_tables_can_be_listed(self, warehouse: Warehouse) -> None:
        assert {"orders", "payments"} <= set(warehouse.query("SHOW TABLES")["name"].to_pylist())

    def test_a_table_without_rows_has_its_columns(self, warehouse: Warehouse) -> None:
        answer = warehouse.query("SELECT * FROM payments")

        assert answer.num_rows == 0
        assert answer.column_names == [*(column.name for column in COLUMNS), "partition_date"]

    def test_folders_named_like_a_date_are_no_column(self, warehouse: Warehouse) -> None:
        assert "date" not in warehouse.query("SELECT * FROM orders").column_names

    def test_rejected_records_are_in_the_quarantine_schema(self, warehouse: Warehouse) -> None:
        answer = warehouse.query("SELECT object, line_no, raw FROM quarantine.payments")

        assert answer.to_pylist() == [{"object": "payments/1.jsonl", "line_no": 7, "raw": b"{oops"}]

    def test_a_quarantine_without_records_has_its_columns(self, warehouse: Warehouse) -> None:
        assert warehouse.query("SELECT * FROM quarantine.orders").column_names == SCHEMA.names

    def test_instants_are_utc(self, warehouse: Warehouse) -> None:
        answer = warehouse.query("SELECT ordered_at, TIMESTAMPTZ '2026-11-20 12:00:00+05:00' AS noon FROM orders")

        assert str(answer.schema.field("ordered_at").type) == "timestamp[us, tz=UTC]"
        assert answer["noon"][0].as_py() == datetime(2026, 11, 20, 7, tzinfo=UTC)

    def test_files_from_before_a_column_was_added_read_null(self, tmp_path: Path, warehouse: Warehouse) -> None:
        ship_to = Struct((Field("city", Text()), Field("country", Text())))
        order_id, amount, ordered_at, _, items = COLUMNS
        wider = contract_with(
            Column("order_id", Integer(64)),
            amount,
            ordered_at,
            Column("ship_to", ship_to),
            items,
            Column("note", Text()),
        )
        open_tables(tmp_path).publish(wider, stage(tmp_path, [2**40], day="2026-11-22", contract=wider), 4)

        answer = warehouse.query("SELECT order_id, note, ship_to.country FROM orders ORDER BY order_id")

        assert answer["order_id"].to_pylist() == [1, 2, 3, 4, 5, 2**40]
        assert answer["note"].to_pylist() == answer["country"].to_pylist() == [None] * 6
        assert order_id.name in answer.column_names

    def test_a_query_sees_what_is_published_meanwhile(self, tmp_path: Path, warehouse: Warehouse) -> None:
        warehouse.query("FROM orders")

        open_tables(tmp_path).publish(ORDERS, stage(tmp_path, [9], fingerprint="b" * 16), 5)

        assert warehouse.query("SELECT order_id FROM orders ORDER BY 1")["order_id"].to_pylist() == [3, 4, 5, 9]

    def test_a_large_sort_may_use_the_scratch_folder(self, tmp_path: Path, warehouse: Warehouse) -> None:
        setting = warehouse.query("SELECT current_setting('temp_directory') AS folder")["folder"].to_pylist()[0]

        assert setting == str(tmp_path / "scratch" / "duckdb")
        assert (tmp_path / "scratch").is_dir()


class TestErrors:
    @pytest.mark.parametrize(
        ("sql", "line", "column"),
        [
            pytest.param("SELECT 1,,2", 1, 10, id="syntax"),
            pytest.param("SELECT *\nFROM orders\nORDER BY nothing", 3, 10, id="unknown column"),
            pytest.param("SELECT " + "1, " * 60 + "nothing FROM orders", 1, 188, id="a long line"),
        ],
    )
    def test_wrong_sql_is_located(self, warehouse: Warehouse, sql: str, line: int, column: int) -> None:
        with pytest.raises(QueryInvalid) as caught:
            warehouse.query(sql)

        assert (caught.value.line, caught.value.column) == (line, column)

    def test_a_value_that_cannot_be_cast_is_told(self, warehouse: Warehouse) -> None:
        with pytest.raises(QueryInvalid, match="Could not convert string 'x' to INT32"):
            warehouse.query("SELECT CAST('x' AS int)")

    @pytest.mark.parametrize(
        ("sql", "message"),
        [
            pytest.param("FROM ordres", r'named "ordres"\. Did you mean "orders"\?', id="misspelt"),
            pytest.param("FROM zzz", r'named "zzz"\. Known: orders, payments\.', id="unlike any"),
            pytest.param("FROM quarantine.ordres", r'Did you mean "quarantine\.orders"\?', id="in quarantine"),
        ],
    )
    def test_an_unknown_table_is_told_with_the_nearest(self, warehouse: Warehouse, sql: str, message: str) -> None:
        with pytest.raises(TableUnknown, match=message):
            warehouse.query(sql)

    def test_local_variables_are_no_tables(self, warehouse: Warehouse) -> None:
        secret = pa.table({"a": [1]})

        with pytest.raises(TableUnknown):
            warehouse.query("FROM secret")
        assert secret.num_rows == 1

    @pytest.mark.parametrize(
        "sql",
        [
            "",
            "SELECT 1; SELECT 2",
            "CREATE TABLE a AS FROM orders",
            "DELETE FROM orders",
            "DROP VIEW orders",
            "INSERT INTO orders SELECT * FROM orders",
            "ATTACH '/tmp/other.db'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "PRAGMA version",
            "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/out.csv'",
            "FROM read_csv('/etc/passwd')",
            "FROM read_text('/etc/passwd')",
            "FROM glob('/etc/*')",
            "FROM sniff_csv('/etc/passwd')",
            "IMPORT DATABASE '/tmp/somewhere'",
            "EXPORT DATABASE '/tmp/somewhere'",
        ],
    )
    def test_what_is_no_query_over_tables_is_refused(self, warehouse: Warehouse, sql: str) -> None:
        with pytest.raises(QueryRefused, match="Send one SELECT over published tables"):
            warehouse.query(sql)

    @pytest.mark.parametrize("warehouse", ["local"], indirect=True)
    def test_a_published_file_cannot_be_overwritten(self, tmp_path: Path, warehouse: Warehouse) -> None:
        file = open_tables(tmp_path).files("orders", DAY)[0]
        before = (tmp_path / file).read_bytes()

        with pytest.raises(QueryRefused, match="COPY is not a query"):
            warehouse.query(f"COPY (FROM orders) TO '{file}' (FORMAT parquet, USE_TMP_FILE false)")
        assert (tmp_path / file).read_bytes() == before
