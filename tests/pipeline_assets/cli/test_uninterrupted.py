from __future__ import annotations

import signal

import pytest

from pipeline_assets.cli.uninterrupted import uninterrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_obeyed_when_the_work_is_done(number: signal.Signals) -> None:
    done: list[str] = []

    with pytest.raises(KeyboardInterrupt):
        work(number, done)

    assert done == ["work"]


def work(number: signal.Signals, done: list[str]) -> None:
    with uninterrupted():
        signal.raise_signal(number)
        done.append("work")


def test_without_a_signal_nothing_happens_and_handlers_are_as_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    with uninterrupted():
        pass

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_error_inside_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="of its own"):
        fail(signal.SIGINT)


def fail(number: signal.Signals) -> None:
    with uninterrupted():
        signal.raise_signal(number)
        raise ValueError("of its own")
