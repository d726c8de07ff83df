"""The wait before the next try."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.healing.backoff import asked_wait, backoff
from sluice.healing.policy import Retries

RETRIES = Retries(5, timedelta(seconds=10), timedelta(minutes=10))


@pytest.mark.parametrize(
    ("retried", "seconds"), [(0, 10), (1, 20), (2, 40), (5, 320), (6, 600), (60, 600), (10_000, 600)]
)
def test_the_widest_wait_doubles_up_to_the_cap(retried: int, seconds: int) -> None:
    assert backoff(RETRIES, retried, 1.0) == timedelta(seconds=seconds)


def test_jitter_chooses_from_the_whole_wait() -> None:
    assert backoff(RETRIES, 1, 0.0) == timedelta()
    assert backoff(RETRIES, 1, 0.25) == timedelta(seconds=5)


@given(st.integers(0, 100), st.floats(0, 1), st.integers(0, 10**6))
def test_a_wait_lies_within_its_bounds(retried: int, jitter: float, asked: int) -> None:
    wait = backoff(RETRIES, retried, jitter, timedelta(seconds=asked))

    assert timedelta(seconds=asked) <= wait <= timedelta(seconds=asked) + RETRIES.cap


@pytest.mark.parametrize("jitter", [-0.1, 1.1, float("nan")])
def test_jitter_outside_its_range_is_a_mistake(jitter: float) -> None:
    with pytest.raises(ValueError, match="jitter is"):
        backoff(RETRIES, 0, jitter)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"Retry-After": "120"}, 120, id="seconds"),
        pytest.param({"retry-after": " 120 "}, 120, id="any case"),
        pytest.param(
            {"Retry-After": "Sun, 01 Nov 2026 10:05:00 GMT", "Date": "Sun, 01 Nov 2026 10:00:00 GMT"}, 300, id="moment"
        ),
        pytest.param(
            {"Retry-After": "Sun, 01 Nov 2026 09:00:00 GMT", "Date": "Sun, 01 Nov 2026 10:00:00 GMT"}, 0, id="past"
        ),
        pytest.param({"Retry-After": "9" * 5000}, 366 * 86400, id="for ever"),
    ],
)
def test_what_is_asked_for_is_read(headers: dict[str, str], seconds: int) -> None:
    assert asked_wait(headers) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"Retry-After": "soon"}, id="no form"),
        pytest.param({"Retry-After": "-5"}, id="negative"),
        pytest.param({"Retry-After": "٣"}, id="other digits"),
        pytest.param({"Retry-After": "Sun, 01 Nov 2026 10:05:00 GMT"}, id="moment without a date"),
    ],
)
def test_what_says_nothing_asks_for_nothing(headers: dict[str, str]) -> None:
    assert asked_wait(headers) is None
