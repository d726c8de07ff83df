"""What a look at one part of the environment found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    GOOD = "good"
    ADVICE = "advice"  # works, but not as well or as safely as it could
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Checked:
    """One finding; `cure` says what to do where the state is not good. Neither ever holds a secret."""

    what: str
    state: State
    found: str
    cure: str = ""


def good(what: str, found: str) -> Checked:
    return Checked(what, State.GOOD, found)


def advice(what: str, found: str, cure: str) -> Checked:
    return Checked(what, State.ADVICE, found, cure)


def broken(what: str, found: str, cure: str) -> Checked:
    return Checked(what, State.BROKEN, found, cure)
