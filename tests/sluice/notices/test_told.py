"""What was told survives as a short text; anything else is read as nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sluice.notices.rules import Event
from sluice.notices.told import Told, read_told

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)


def test_what_was_told_is_read_back() -> None:
    told = Told({"OPS:opened": frozenset({1, 2, 3, 7}), "OPS:resolved": frozenset({9})}, {"OPS:orders": NOON})

    assert read_told(told.text) == told
    assert read_told(told.text).knows("OPS", 7, Event.OPENED)
    assert not read_told(told.text).knows("OPS", 7, Event.RESOLVED)


def test_five_hundred_in_a_row_are_a_short_text() -> None:
    told = Told({"OPS:opened": frozenset(range(1000, 1500))})

    assert told.text == '{"incidents": {"OPS:opened": "1000-1499"}, "published": {}}'


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param("not JSON", id="no JSON"),
        pytest.param("[1]", id="a list"),
        pytest.param("7", id="a number"),
        pytest.param('{"incidents": ["a"]}', id="another shape"),
        pytest.param('{"incidents": {"OPS:opened": "a-b"}}', id="no numbers"),
        pytest.param('{"incidents": {"OPS:opened": 7}}', id="no ranges"),
        pytest.param('{"published": {"OPS:orders": "yesterday"}}', id="no instant"),
        pytest.param('{"published": {"OPS:orders": "2026-11-21T12:00:00"}}', id="an instant of no zone"),
    ],
)
def test_another_text_is_as_if_nothing_was_told(text: str | None) -> None:
    assert read_told(text) == Told()


def test_what_is_no_news_any_more_is_forgotten() -> None:
    told = Told({"OPS:opened": frozenset({1, 2}), "OPS:resolved": frozenset({1})}, {"OPS:orders": NOON})

    assert told.only({2}, NOON) == Told({"OPS:opened": frozenset({2})}, {"OPS:orders": NOON})
    assert told.only({2}, NOON.replace(hour=13)).published == {}
