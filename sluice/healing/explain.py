"""A remedy as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from sluice.healing.decide import Escalate, RetryLater, ServeLastGood, WaitForUpstream

if TYPE_CHECKING:
    from sluice.healing.decide import Remedy


def explain(remedy: Remedy) -> str:
    match remedy:
        case RetryLater(at, retry, most):
            return f"Retry {retry} of {most}, not before {at:%Y-%m-%d %H:%M:%S} UTC."
        case WaitForUpstream():
            return "Wait for the input: the partition is built by itself when it comes."
        case ServeLastGood(until):
            return f"The table keeps what it holds until {until}."
        case Escalate(why):
            return f"A person has to look: {why}."
        case _:
            assert_never(remedy)
