from __future__ import annotations

from typing import TYPE_CHECKING

from bench.everything import benches, table
from bench.report import Line, read_line, tell

if TYPE_CHECKING:
    import pytest

IDLE = Line(5, "idle tick", "5 ms", "listing: 900 ms", "180 x cheaper", "< 1 s", held=True)


def test_what_a_bench_tells_is_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    tell(IDLE)

    assert read_line(capsys.readouterr().out) == IDLE


def test_what_else_a_bench_prints_is_no_line() -> None:
    assert read_line("records 17\n") is None


def test_the_table_is_in_the_order_of_the_questions() -> None:
    rows = table([IDLE, Line(1, "a day", "3 s", "-")]).splitlines()

    assert rows[2:] == [
        "| 1 | a day | 3 s | - |  |  | - |",
        "| 5 | idle tick | 5 ms | listing: 900 ms | 180 x cheaper | < 1 s | yes |",
    ]


def test_every_script_is_found_and_the_one_that_runs_them_is_not() -> None:
    found = benches()

    assert {"transform", "idle", "gates", "latency"} <= set(found)
    assert "everything" not in found
