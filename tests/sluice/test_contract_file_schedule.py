from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from sluice.contract import fingerprint_of
from sluice.contract_file import read_contract
from sluice.contract_file.cron import read_cron
from sluice.contract_file.place import Problem
from sluice.errors import ContractProblems
from sluice.scheduling import Schedule, partition_of
from tests.sluice.test_contract_file_healing import with_healing as with_settings


def read(*lines: str) -> Schedule | None:
    return read_contract(with_settings("schedule:", *lines), path="contract.yaml").schedule


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("cron(15 2 * * ? *)", "15 2 * * *"),
        ("cron(0 10 * * ? *)", "0 10 * * *"),
        ("cron(0 18 ? * MON-FRI *)", "0 18 * * 1,2,3,4,5"),
        ("cron(0 18 ? * 2-6 *)", "0 18 * * 1,2,3,4,5"),
        ("cron(0 18 ? * 1 *)", "0 18 * * 0"),
        ("cron(0 18 ? * SAT,1 *)", "0 18 * * 0,6"),
        ("cron(0 8 1 * ? *)", "0 8 1 * *"),
        ("cron(0/15 * * * ? *)", "0,15,30,45 * * * *"),
        ("cron(5/20 8-10 ? 1,JUL 3#1 *)", "5,25,45 8,9,10 * 1,7 2#1"),
        ("cron(0 0 L * ? *)", "0 0 L * *"),
        ("cron(0 0 ? * 1-7 *)", "0 0 * * *"),
        ("15 2 * * *", "15 2 * * *"),
        ("*/20 0-3 * * 0", "0,20,40 0,1,2,3 * * 0"),
        ("0 3 * * 7", "0 3 * * 0"),
        ("0 3 * * mon", "0 3 * * 1"),
    ],
)
def test_cron_is_written_out(written: str, means: str) -> None:
    assert read_cron(written) == means


@pytest.mark.parametrize(
    "written",
    [
        *("", "cron()", "daily", "rate(1 day)", "* * * *", "cron(15 2 * * *)", "15 2 * * ? *"),
        *("60 2 * * *", "0 24 * * *", "0 0 0 * *", "0 0 * 13 *", "0 0 * * 8", "cron(0 0 ? * 0 *)", "5-1 * * * *"),
        *("*/0 * * * *", "0 0 30 2 *", "0 0 31 4,6 *", "cron(0 0 * * * *)", "cron(0 0 ? * ? *)"),
        *(
            "cron(0 0 1 * ? 2027)",
            "cron(0 0 15W * ? *)",
            "cron(0 0 ? * 6L *)",
            "0 0 * * 1#6",
            "- - - - -",
            "*-3 * * * *",
        ),
    ],
)
def test_what_is_no_cron_or_never_comes_is_a_problem(written: str) -> None:
    assert isinstance(read_cron(written), Problem)


def test_all_fields_are_read() -> None:
    assert read('  cron: "cron(30 1 * * ? *)"', "  zone: Europe/Berlin", "  days_back: 2") == Schedule(
        "30 1 * * *", "Europe/Berlin", 2
    )


def test_without_a_schedule_there_is_none() -> None:
    assert read_contract(with_settings("start: 2026-11-01"), path="c").schedule is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("zone: UTC", "is missing"),
        ("cron: daily", "is no cron expression"),
        ('cron: "cron(0 0 1 * ? 2027)"', r"Write \* for the year"),
        ('{cron: "0 2 * * *", zone: Berlin}', "no time zone"),
        ('{cron: "0 2 * * *", days_back: -1}', "from 0 to 366"),
        ('{cron: "0 2 * * *", at: noon}', "is not a field here"),
    ],
)
def test_what_cannot_be_is_refused(line: str, said: str) -> None:
    with pytest.raises(ContractProblems, match=said):
        read(f"  {line}")


def test_a_schedule_changes_no_fingerprint() -> None:
    one = read_contract(with_settings('schedule: {cron: "0 2 * * *"}'), path="c")
    other = read_contract(with_settings('schedule: {cron: "0 3 * * *"}'), path="c")

    assert fingerprint_of(one) == fingerprint_of(other)


@pytest.mark.parametrize(
    ("at", "days_back", "partition"),
    [
        pytest.param(datetime(2026, 11, 5, 2, tzinfo=ZoneInfo("UTC")), 1, "2026-11-04", id="the day before"),
        pytest.param(datetime(2026, 11, 5, 2, tzinfo=ZoneInfo("UTC")), 0, "2026-11-05", id="the same day"),
        pytest.param(datetime(2026, 11, 5, 2, tzinfo=ZoneInfo("Asia/Tokyo")), 1, "2026-11-04", id="local date"),
        pytest.param(datetime(2026, 11, 5, 2, tzinfo=ZoneInfo("Asia/Tokyo")), 0, None, id="not begun in UTC"),
        pytest.param(datetime(2026, 11, 1, 2, tzinfo=ZoneInfo("UTC")), 1, None, id="before the start"),
    ],
)
def test_which_partition_a_moment_is_about(at: datetime, days_back: int, partition: str | None) -> None:
    assert partition_of(Schedule("0 2 * * *", days_back=days_back), at, date(2026, 11, 1)) == partition
