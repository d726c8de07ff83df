"""A log record is one line of JSON, however long it is and whatever is in it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sluice.telemetry.log_line import LogRecord, log_line

AT = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)
RECORD = LogRecord(AT, "INFO", "sluice.run", "It works.", 7)


def test_a_line_has_time_level_logger_message_and_process() -> None:
    assert json.loads(log_line(RECORD, 4096)) == {
        "time": "2026-11-21T12:00:00.123Z",
        "level": "INFO",
        "logger": "sluice.run",
        "message": "It works.",
        "process": 7,
    }


def test_times_are_utc() -> None:
    in_berlin = replace(RECORD, at=AT.astimezone(timezone(timedelta(hours=1))))

    assert log_line(in_berlin, 4096) == log_line(RECORD, 4096)


def test_what_it_is_about_is_found_by_name_and_nothing_else_is_let_in() -> None:
    about = {"run": "r", "dataset": "orders", "partition": "2026-11-20", "incident": "7", "job": "", "level": "x"}

    found = json.loads(log_line(replace(RECORD, about=about), 4096))

    assert {name: found.get(name) for name in about} == {**about, "job": None, "level": "INFO"}


def test_an_exception_has_its_type_and_stack() -> None:
    found = json.loads(log_line(replace(RECORD, error="ValueError", stack="Traceback\n x://a:hunter2@h"), 4096))

    assert found["exception"] == {"type": "ValueError", "stack": "Traceback\n x://a:***@h"}


@pytest.mark.parametrize("message", ["a\nb", 'say "x" \\', "größer ≥ \x00\x1b[31m", "\ud800", "\u2028"], ids=ascii)
def test_any_text_is_one_line_of_utf8(message: str) -> None:
    line = log_line(replace(RECORD, message=message), 4096)

    assert line.count(b"\n") == 1
    assert json.loads(line.decode())["level"] == "INFO"


@pytest.mark.parametrize("letter", ["x", "ä", "\n", "\x00"], ids=ascii)
def test_a_line_that_is_too_long_keeps_both_ends_of_its_texts(letter: str) -> None:
    stack = f"first{letter * 50_000}last"

    line = log_line(replace(RECORD, message=stack, error="E", stack=stack), 4096)

    found = json.loads(line)
    assert 1024 < len(line) <= 4096
    assert found["message"].startswith("first")
    assert found["exception"]["stack"].endswith("last")
    assert " ... (cut) ... " in found["message"]
