from __future__ import annotations

from datetime import date

import pytest

from sluice.contract import Column, Contract, FileFormat, Source
from sluice.datatypes import Decimal, Integer, Text
from sluice.derivation import column_inputs, derived_manifest, in_build_order, input_tables, inputs_of
from sluice.errors import TransformInvalid
from sluice.version import Version

KNOWN = ("customers", "orders", "payments")


def landed(dataset: str, *columns: Column) -> Contract:
    source = Source(f"{dataset}/date={{date}}/*.jsonl", FileFormat.JSONL)
    return Contract(dataset, "1.0.0", columns, source=source, start=date(2026, 11, 1))


def derived(dataset: str, sql: str, *columns: Column) -> Contract:
    return Contract(dataset, "1.0.0", columns, transform_sql=sql, path=f"datasets/{dataset}/contract.yaml")


ORDERS = landed("orders", Column("customer_id", Integer()), Column("amount", Decimal(12, 2)))
CUSTOMERS = landed("customers", Column("customer_id", Integer()), Column("country", Text()))
REVENUE = derived(
    "revenue",
    "with paid as (select c.country, o.amount from orders o join customers c using (customer_id))"
    " select country, sum(amount) as revenue, count(*) as orders from paid group by country",
    Column("country", Text()),
    Column("revenue", Decimal(12, 2)),
    Column("orders", Integer()),
)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        pytest.param("select * from orders", ("orders",), id="one table"),
        pytest.param("FROM orders", ("orders",), id="duckdb's from-first form"),
        pytest.param("select 1 from orders o join customers c using (customer_id)", ("customers", "orders"), id="join"),
        pytest.param(
            "select * from orders where id in (select order_id from payments)", ("orders", "payments"), id="in"
        ),
        pytest.param("select * from orders union all select * from payments", ("orders", "payments"), id="union"),
        pytest.param("with x as (select * from orders) select * from x", ("orders",), id="with is not a table"),
        pytest.param(
            "with orders as (select * from orders) select * from orders", ("orders",), id="with hides a table"
        ),
        pytest.param("select * from orders, unnest([1, 2]) as t(n)", ("orders",), id="unnest"),
        pytest.param("select * from orders, range(3) as r(n)", ("orders",), id="range"),
        pytest.param(
            "select * from orders, lateral (select max(fee) from payments)", ("orders", "payments"), id="lateral"
        ),
        pytest.param('select * from "orders"; -- the end', ("orders",), id="quoted, with a semicolon"),
    ],
)
def test_inputs_are_the_published_tables_that_a_query_reads(sql: str, tables: tuple[str, ...]) -> None:
    assert input_tables(sql, KNOWN) == tables


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        pytest.param(
            "select *\nfrom ordres", 'line 2, column 6: there is no table "ordres". Did you mean "orders"?', id="typo"
        ),
        pytest.param("select * fro orders", "line 1, column 19: Invalid expression", id="syntax"),
        pytest.param("select 'never closed", "cannot be parsed", id="tokens"),
        pytest.param(
            "select * from read_csv('x.csv')", "which is a function and not a published table", id="reads a file"
        ),
        pytest.param("select * from glob('*')", "which is a function", id="lists files"),
        pytest.param("select * from query_table('orders')", "which is a function", id="names a table at run time"),
        pytest.param("select * from 'orders.parquet'", 'there is no table "orders.parquet"', id="file as a table"),
        pytest.param("select * from main.orders", 'there is no table "main.orders"', id="with a schema"),
        pytest.param("copy orders to 'x.csv'", "it is a COPY statement. Write one SELECT", id="copy"),
        pytest.param("create table x as select * from orders", "it is a CREATE statement", id="create"),
        pytest.param("insert into orders select 1", "it is a INSERT statement", id="insert"),
        pytest.param("select 1 from orders; select 2 from orders", "it holds 2 statements", id="two statements"),
        pytest.param("-- nothing yet", "it holds 0 statements", id="empty"),
        pytest.param("select 1 as one", "it reads no published table", id="no input"),
    ],
)
def test_a_query_that_cannot_be_used_is_refused_with_place_and_cure(sql: str, message: str) -> None:
    with pytest.raises(TransformInvalid) as refused:
        input_tables(sql, KNOWN, path="datasets/x/transform.sql")

    assert str(refused.value).startswith("datasets/x/transform.sql: ")
    assert message in str(refused.value)


def test_a_landed_dataset_reads_no_table() -> None:
    assert inputs_of(ORDERS, {"orders": ORDERS}) == ()


def test_a_dataset_cannot_read_itself() -> None:
    itself = derived("sums", "select * from sums")

    with pytest.raises(TransformInvalid, match='no table "sums"'):
        inputs_of(itself, {"sums": itself})


def test_inputs_come_before_what_is_derived_from_them() -> None:
    top = derived("a_top", "select * from revenue")
    contracts = {item.dataset: item for item in (top, REVENUE, ORDERS, CUSTOMERS)}

    order = [item.dataset for item in in_build_order(contracts)]

    assert order.index("orders") < order.index("revenue") < order.index("a_top")
    assert order.index("customers") < order.index("revenue")


def test_datasets_that_read_each_other_are_refused() -> None:
    contracts = {"a": derived("a", "select * from b"), "b": derived("b", "select * from a")}

    with pytest.raises(TransformInvalid, match=r"in a circle: . <- . <- ."):
        in_build_order(contracts)


def test_a_derived_partition_has_another_fingerprint_when_an_input_shows_another_version() -> None:
    held = {"orders": Version("f1", "c1", "1"), "customers": Version("f2", "c2", "1")}

    before = derived_manifest("revenue", "2026-11-01", held)
    again = derived_manifest("revenue", "2026-11-01", dict(reversed(held.items())))
    after = derived_manifest("revenue", "2026-11-01", held | {"orders": Version("f3", "c1", "1")})

    assert before.fingerprint == again.fingerprint
    assert before.fingerprint != after.fingerprint


def test_column_lineage_goes_through_joins_and_with_clauses() -> None:
    contracts = {item.dataset: item for item in (REVENUE, ORDERS, CUSTOMERS)}

    sources = column_inputs(REVENUE, contracts)

    assert sources["country"] == (("customers", "country"),)
    assert sources["revenue"] == (("orders", "amount"),)
    assert sources["orders"] == ()
