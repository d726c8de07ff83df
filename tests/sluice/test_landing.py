from __future__ import annotations

from datetime import date

import pytest

from sluice.contract import Contract, FileFormat, Source
from sluice.errors import LandingRefused
from sluice.landing import DateFrom, plan_landing

TODAY = date(2026, 11, 21)
ORDERS = Contract(
    dataset="orders",
    version="1.0.0",
    columns=(),
    source=Source("orders/date={date}/*.jsonl.gz", FileFormat.JSONL),
    start=date(2026, 11, 1),
    path="orders/contract.yaml",
)


@pytest.mark.parametrize(
    ("name", "asked", "partition", "date_from"),
    [
        pytest.param("a.jsonl.gz", "2026-11-02", "2026-11-02", DateFrom.OPTION, id="asked"),
        pytest.param("a-2026-11-03.jsonl.gz", "2026-11-02", "2026-11-02", DateFrom.OPTION, id="asked wins over name"),
        pytest.param("a-2026-11-03.jsonl.gz", None, "2026-11-03", DateFrom.FILE_NAME, id="in the name"),
        pytest.param("2026-11-03_2026-11-03.jsonl.gz", None, "2026-11-03", DateFrom.FILE_NAME, id="twice the same"),
        pytest.param("a.jsonl.gz", None, "2026-11-21", DateFrom.TODAY, id="today"),
        pytest.param("order-12026-11-031.jsonl.gz", None, "2026-11-21", DateFrom.TODAY, id="digits around are no date"),
        pytest.param("a.jsonl.gz", "2026-11-01", "2026-11-01", DateFrom.OPTION, id="first partition"),
    ],
)
def test_date_is_the_one_asked_for_then_the_one_in_the_name_then_today(
    name: str, asked: str | None, partition: str, date_from: DateFrom
) -> None:
    landing = plan_landing(ORDERS, name, asked=asked, today=TODAY)

    assert landing.partition == partition
    assert landing.date_from == date_from
    assert landing.key == f"orders/date={partition}/{name}"


@pytest.mark.parametrize(
    ("name", "asked", "says"),
    [
        pytest.param("a.jsonl.gz", "yesterday", '"yesterday" in --date is not a date', id="no date"),
        pytest.param("a.jsonl.gz", "20261101", "is not a date. Write it as --date YYYY-MM-DD", id="other spelling"),
        pytest.param("a.jsonl.gz", "2026-02-30", '"2026-02-30" in --date is not a date', id="no such day"),
        pytest.param("a-2026-13-01.jsonl.gz", None, '"2026-13-01" in a-2026-13-01.jsonl.gz', id="no such day in name"),
        pytest.param("2026-11-01_2026-11-02.jsonl.gz", None, "several dates: 2026-11-01, 2026-11-02", id="two dates"),
        pytest.param("a.jsonl.gz", "2026-10-31", "before the first partition of orders, 2026-11-01", id="too early"),
        pytest.param("a.jsonl.gz", "2026-11-22", "in the future: today is 2026-11-21", id="too late"),
        pytest.param("a.csv", "2026-11-01", '"*.jsonl.gz"', id="name does not match the location"),
        pytest.param(".a.jsonl.gz", "2026-11-01", 'does not begin with "."', id="hidden name"),
    ],
)
def test_a_landing_that_would_never_be_noticed_is_refused(name: str, asked: str | None, says: str) -> None:
    with pytest.raises(LandingRefused) as refused:
        plan_landing(ORDERS, name, asked=asked, today=TODAY)

    assert says in str(refused.value)


def test_a_derived_dataset_takes_no_files() -> None:
    derived = Contract(dataset="daily_revenue", version="1.0.0", columns=(), transform_sql="select 1")

    with pytest.raises(LandingRefused, match=r"derived by its transform\.sql"):
        plan_landing(derived, "a.csv", asked=None, today=TODAY)
