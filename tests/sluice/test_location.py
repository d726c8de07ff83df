"""Where raw objects are, read from a pattern in both directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.errors import LandingRefused, LocationInvalid
from sluice.location import Location

HIVE = Location.parse("orders/date={date}/*.jsonl.gz")
SLASHES = Location.parse("shop/orders/{date:YYYY/MM/dd}/*")
DEEP = Location.parse("events/{date}/**/*.json")
IN_FILE_NAME = Location.parse("taxi/trips-{date:YYYYMMdd}-*.csv")
TWICE = Location.parse("bank/{date:YYYY/MM/dd}/bank_{date}.csv")
OPEN_FOLDER = Location.parse("orders/*/{date}/*.csv")


@pytest.mark.parametrize(
    ("location", "key", "partition"),
    [
        pytest.param(HIVE, "orders/date=2026-11-01/a.jsonl.gz", "2026-11-01", id="hive"),
        pytest.param(HIVE, "orders/date=2026-11-01/a.jsonl", None, id="other suffix"),
        pytest.param(HIVE, "orders/date=2026-11-01/sub/a.jsonl.gz", None, id="star stays in its part"),
        pytest.param(HIVE, "orders/date=2026-02-30/a.jsonl.gz", None, id="no such day"),
        pytest.param(HIVE, "orders/date=0000-01-01/a.jsonl.gz", None, id="no such year"),
        pytest.param(HIVE, "orders/date=2026-11-1/a.jsonl.gz", None, id="day of one digit"),
        pytest.param(HIVE, "orders/date=٢٠٢٦-11-01/a.jsonl.gz", None, id="digits of another script"),
        pytest.param(HIVE, "x/orders/date=2026-11-01/a.jsonl.gz", None, id="not from the start"),
        pytest.param(HIVE, "orders/date=2026-11-01/_a.jsonl.gz", None, id="a file in the making"),
        pytest.param(HIVE, "orders/date=2026-11-01/.a.jsonl.gz", None, id="a hidden file"),
        pytest.param(SLASHES, "shop/orders/2026/11/01/x", "2026-11-01", id="slashes"),
        pytest.param(SLASHES, "shop/orders/2026/13/01/x", None, id="no such month"),
        pytest.param(DEEP, "events/2026-11-01/x.json", "2026-11-01", id="no folder for two stars"),
        pytest.param(DEEP, "events/2026-11-01/a/b/x.json", "2026-11-01", id="two folders for two stars"),
        pytest.param(IN_FILE_NAME, "taxi/trips-20261101-7.csv", "2026-11-01", id="date in the file name"),
        pytest.param(TWICE, "bank/2026/11/01/bank_2026-11-01.csv", "2026-11-01", id="date twice"),
        pytest.param(TWICE, "bank/2026/11/01/bank_2026-11-02.csv", None, id="date twice and contradictory"),
    ],
)
def test_a_key_tells_its_partition(location: Location, key: str, partition: str | None) -> None:
    assert location.partition_of(key) == partition


@pytest.mark.parametrize(
    ("location", "root", "prefix"),
    [
        pytest.param(HIVE, "orders/", "orders/date=2026-11-01/", id="hive"),
        pytest.param(SLASHES, "shop/orders/", "shop/orders/2026/11/01/", id="slashes"),
        pytest.param(DEEP, "events/", "events/2026-11-01/", id="deep"),
        pytest.param(IN_FILE_NAME, "taxi/", "taxi/", id="date in the file name"),
        pytest.param(OPEN_FOLDER, "orders/", "orders/", id="open folder"),
        pytest.param(TWICE, "bank/", "bank/2026/11/01/", id="no wildcard"),
    ],
)
def test_prefixes_end_at_the_last_constant_folder(location: Location, root: str, prefix: str) -> None:
    assert (location.root, location.key_prefix("2026-11-01")) == (root, prefix)


@pytest.mark.parametrize(
    ("location", "file_name", "key"),
    [
        pytest.param(HIVE, "a.jsonl.gz", "orders/date=2026-11-01/a.jsonl.gz", id="hive"),
        pytest.param(SLASHES, "a.csv", "shop/orders/2026/11/01/a.csv", id="slashes"),
        pytest.param(DEEP, "a.json", "events/2026-11-01/a.json", id="two stars need no folder"),
        pytest.param(IN_FILE_NAME, "trips-20261101-1.csv", "taxi/trips-20261101-1.csv", id="date in the file name"),
    ],
)
def test_a_file_lands_where_its_partition_is_read(location: Location, file_name: str, key: str) -> None:
    assert location.key_for("2026-11-01", file_name) == key


@pytest.mark.parametrize(
    ("location", "file_name", "cure"),
    [
        pytest.param(HIVE, "a.csv", 'matches "*.jsonl.gz"', id="suffix"),
        pytest.param(HIVE, "_a.jsonl.gz", 'does not begin with "." or "_"', id="hidden"),
        pytest.param(HIVE, "../a.jsonl.gz", "Rename the file", id="path"),
        pytest.param(IN_FILE_NAME, "trips-20261102-1.csv", 'matches "trips-20261101-*.csv"', id="another date"),
        pytest.param(OPEN_FOLDER, "a.csv", "into the raw zone yourself", id="open folder"),
    ],
)
def test_a_file_that_would_not_be_found_is_not_landed(location: Location, file_name: str, cure: str) -> None:
    with pytest.raises(LandingRefused) as refused:
        location.key_for("2026-11-01", file_name)

    assert cure in refused.value.cure


@pytest.mark.parametrize(
    ("pattern", "cure"),
    [
        pytest.param("orders/*.csv", "Put {date}", id="no date"),
        pytest.param("/orders/{date}/*.csv", "Begin with a folder", id="absolute"),
        pytest.param("orders/../{date}/*.csv", '".."', id="parent"),
        pytest.param("orders//{date}/*.csv", "empty parts", id="empty part"),
        pytest.param("orders/{date}/", "empty parts", id="folder"),
        pytest.param("s3://bucket/orders/{date}/*", "below the raw zone", id="url"),
        pytest.param("{date}/*.csv", "holds only this dataset", id="no constant folder"),
        pytest.param("*/{date}/x.csv", "holds only this dataset", id="wildcard first"),
        pytest.param("orders-{date}.csv", "holds only this dataset", id="no folder"),
        pytest.param("orders/{day}/*.csv", "Write {date}", id="unknown placeholder"),
        pytest.param("orders/{date:}/*.csv", "Write {date}", id="empty format"),
        pytest.param("orders/{date:yyyy/MM/dd}/*", "YYYY, MM and dd", id="letters of another notation"),
        pytest.param("orders/{date:YYYY/MM}/*", "YYYY, MM and dd", id="no day"),
        pytest.param("orders/{date:YYYY/MM/dd/dd}/*", "YYYY, MM and dd", id="day twice"),
        pytest.param("orders/{date}/part-?.csv", '"*"', id="question mark"),
        pytest.param("orders/{date}/a**.csv", '"**" alone', id="two stars inside a part"),
    ],
)
def test_a_wrong_pattern_is_refused_with_its_cure(pattern: str, cure: str) -> None:
    with pytest.raises(LocationInvalid) as refused:
        Location.parse(pattern)

    assert cure in refused.value.cure


@given(st.dates(), st.sampled_from([HIVE, SLASHES, DEEP]))
def test_every_date_is_read_back_from_the_key_it_lands_under(day: object, location: Location) -> None:
    key = location.key_for(str(day), "part.json" if location is DEEP else "part.jsonl.gz")

    assert location.partition_of(key) == str(day)
    assert key.startswith(location.key_prefix(str(day)))
    assert key.startswith(location.root)
