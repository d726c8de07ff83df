"""What queries read, by hand: 1 MB of order_id, 2 MB of amount, 30 MB of shipTo in each of three partitions."""

from __future__ import annotations

import pytest

from sluice.cost.reference_query import table_scans
from sluice.cost.rules import ReferenceQuery
from sluice.cost.scan import QueryScan, athena_usd, scan
from sluice.errors import ReferenceQueryInvalid
from tests.sluice.cost.prices import BOOK, COLUMNS, contract_with

MB = 2**20
DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")
SIZES = {day: {"order_id": MB, "amount": 2 * MB, "shipTo": 30 * MB, "partition_date": 7} for day in DAYS}
ALL = ("order_id", "amount", "shipTo")


def scanned(sql: str, partition: str = "2026-11-02") -> QueryScan:
    return scan(ReferenceQuery("q", sql, max_usd=1.0), contract_with(), partition, SIZES, BOOK)


@pytest.mark.parametrize(
    ("sql", "columns", "partitions", "megabytes"),
    [
        pytest.param("SELECT * FROM orders", ALL, 3, 99, id="star is all columns"),
        pytest.param("SELECT count(*) FROM orders", (), 3, 0, id="a count is metadata"),
        pytest.param("SELECT min(partition_date) FROM orders", (), 3, 0, id="the partition is metadata"),
        pytest.param(
            "SELECT sum(amount) FROM orders WHERE partition_date = DATE '{date}'", ("amount",), 1, 2, id="one day"
        ),
        pytest.param("SELECT sum(amount) FROM orders WHERE partition_date = '{date}'", ("amount",), 1, 2, id="text"),
        pytest.param(
            "SELECT amount FROM orders WHERE partition_date BETWEEN DATE '{date}' AND DATE '2026-12-31'",
            ("amount",),
            2,
            4,
            id="between",
        ),
        pytest.param(
            "SELECT amount FROM orders WHERE partition_date > DATE '{date}' - INTERVAL 2 DAY AND order_id > 5",
            ("order_id", "amount"),
            3,
            9,
            id="another filter reads its column",
        ),
        pytest.param(
            "SELECT order_id FROM orders WHERE partition_date = '{date}' OR order_id = 3",
            ("order_id",),
            3,
            3,
            id="or with another column prunes nothing",
        ),
        pytest.param(
            "SELECT order_id FROM orders WHERE partition_date = '{date}' OR partition_date = '2026-11-03'",
            ("order_id",),
            2,
            2,
            id="or of dates",
        ),
        pytest.param("SELECT shipto.city FROM orders", ("shipTo",), 3, 90, id="case does not matter, nested is whole"),
        pytest.param("SELECT * EXCLUDE (shipTo) FROM orders", ("order_id", "amount"), 3, 9, id="exclude"),
        pytest.param(
            "WITH day AS (SELECT * FROM orders) SELECT sum(amount) FROM day WHERE partition_date = '{date}'",
            ("amount",),
            1,
            2,
            id="pushed into a WITH clause",
        ),
        pytest.param("SELECT o FROM orders o", ALL, 3, 99, id="a whole row as a value"),
        pytest.param("SELECT COLUMNS('.*') FROM orders", ALL, 3, 99, id="columns by pattern"),
        pytest.param(
            "SELECT amount FROM orders WHERE order_id IN (SELECT order_id FROM orders WHERE partition_date='{date}')",
            ("order_id", "amount"),
            3,
            10,
            id="a subquery is a second reading",
        ),
        pytest.param(
            "SELECT a.amount FROM orders a LEFT JOIN orders b ON a.order_id = b.order_id"
            " AND b.partition_date = '2026-11-01' WHERE a.partition_date = '{date}'",
            ("order_id", "amount"),
            2,
            4,
            id="each side of a join by its own conditions",
        ),
        pytest.param(
            "SELECT b.amount FROM orders a LEFT JOIN orders b ON a.order_id = b.order_id"
            " WHERE b.partition_date IS NULL",
            ("order_id", "amount"),
            3,
            12,
            id="a condition after an outer join does not prune",
        ),
        pytest.param(
            "SELECT a.amount FROM orders a FULL JOIN orders b ON a.order_id = b.order_id"
            " WHERE a.partition_date = '{date}'",
            ("order_id", "amount"),
            3,
            12,
            id="a full join is not pruned",
        ),
        pytest.param(
            "SELECT amount FROM orders WHERE partition_date = (SELECT max(partition_date) FROM orders)",
            ("amount",),
            3,
            6,
            id="a date that only the query knows",
        ),
        pytest.param(
            "SELECT order_id FROM orders WHERE partition_date = '{date}' UNION ALL SELECT amount FROM orders",
            ("order_id", "amount"),
            3,
            7,
            id="union",
        ),
        pytest.param("SELECT amount FROM orders WHERE partition_date > '2027-01-01'", ("amount",), 0, 0, id="nothing"),
    ],
)
def test_a_query_reads_these_columns_of_these_partitions(
    sql: str, columns: tuple[str, ...], partitions: int, megabytes: int
) -> None:
    found = scanned(sql)

    assert (found.columns, found.partitions, found.scanned_bytes / MB) == (columns, partitions, megabytes)


def test_the_judged_partition_is_the_date() -> None:
    sql = "SELECT amount FROM orders WHERE partition_date <= DATE '{date}'"

    assert [scanned(sql, day).partitions for day in DAYS] == [1, 2, 3]


def test_a_column_that_older_partitions_lack_is_nothing_there() -> None:
    sizes = {**SIZES, "2026-11-01": {"order_id": MB}}

    found = scan(ReferenceQuery("q", "SELECT amount FROM orders"), contract_with(), DAYS[0], sizes, BOOK)

    assert found.scanned_bytes == 4 * MB


@pytest.mark.parametrize(
    ("scanned_bytes", "megabytes"),
    [
        pytest.param(0, 10, id="ten MB are billed for nothing"),
        pytest.param(10 * MB, 10, id="ten MB"),
        pytest.param(10 * MB + 1, 11, id="rounded up"),
        pytest.param(2**40, 2**20, id="a TB"),
    ],
)
def test_athena_bills_whole_megabytes(scanned_bytes: int, megabytes: int) -> None:
    assert athena_usd(scanned_bytes, BOOK, "us-east-1") == pytest.approx(5 * megabytes / 2**20)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        pytest.param("SELECT nope FROM orders", "Column 'nope' could not be resolved", id="unknown column"),
        pytest.param("SELECT * FROM customers", "reads customers, not only orders", id="other table"),
        pytest.param("SELECT * FROM orders JOIN customers USING (order_id)", "reads customers", id="join"),
        pytest.param("SELECT * FROM shop.orders", "reads shop.orders", id="another schema's"),
        pytest.param("SELECT * FROM read_parquet('x')", "reads READ_PARQUET", id="function"),
        pytest.param("SELECT 1", "does not read orders", id="no table"),
        pytest.param("DELETE FROM orders", "is not one SELECT", id="no query"),
        pytest.param("SELECT 1; SELECT 2", "is not one SELECT", id="two queries"),
        pytest.param("SELECT FROM FROM", "cannot be parsed: Expected table name at", id="no SQL"),
        pytest.param("SELECT 'a FROM orders", "cannot be parsed", id="open quote"),
        pytest.param("SELECT * FROM orders WHERE partition_date = current_date", "reads the clock", id="clock"),
        pytest.param("SELECT * FROM orders WHERE partition_date > now()", "reads the clock", id="clock function"),
    ],
)
def test_a_query_that_cannot_be_priced_is_refused(sql: str, problem: str) -> None:
    with pytest.raises(ReferenceQueryInvalid) as refused:
        table_scans(sql, "orders", COLUMNS, DAYS[0])

    assert problem in refused.value.problem


def test_a_condition_that_duckdb_cannot_run_is_refused() -> None:
    (reading,) = table_scans("SELECT 1 FROM orders WHERE partition_date = 'soon'", "orders", COLUMNS, DAYS[0])

    with pytest.raises(ReferenceQueryInvalid, match="cannot be run"):
        reading.partitions(DAYS)


def test_a_misspelt_column_gets_a_suggestion() -> None:
    with pytest.raises(ReferenceQueryInvalid, match='Did you mean "amount"'):
        table_scans("SELECT amonut FROM orders", "orders", COLUMNS, DAYS[0])
