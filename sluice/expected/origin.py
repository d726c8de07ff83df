"""Says in words what limits were learned from."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING

from sluice.expected.pattern import WINDOW

if TYPE_CHECKING:
    from sluice.expected.levels import Levels
    from sluice.expected.measure import Measure
    from sluice.expected.pattern import Pattern
    from sluice.gate_rules import Expected

_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_MONTHS = (
    "Januaries",
    "Februaries",
    "Marches",
    "Aprils",
    "Mays",
    "Junes",
    "Julys",
    "Augusts",
    "Septembers",
    "Octobers",
    "Novembers",
    "Decembers",
)


def origin_of(rule: Expected, measure: Measure, levels: Levels, usual: Pattern, history: int, day: int) -> str:
    """Return "learned from 8 Mondays among the newest 56 partitions before 2026-11-02 (...)"."""
    newest = f"the newest {min(len(levels.points), WINDOW)} partitions before {date.fromordinal(day)}"
    source = f"{usual.alike} {_season(usual, day)} among {newest}" if usual.seasons else newest
    median = measure.text(measure.clip(measure.backward(usual.at(day), day)))
    deviation = f"robust deviation {_difference(measure, -usual.below)} to {_difference(measure, usual.above)}"
    slope = [f"{_difference(measure, usual.slope)} a day"] if usual.slope else []
    told = f"learned from {source} ({', '.join([f'usual {median}', deviation, *slope])})"
    return "; ".join([told, *_levels(levels), *_standing(rule, history)])


def _season(usual: Pattern, day: int) -> str:
    moment = date.fromordinal(day)
    return _MONTHS[moment.month - 1] if usual.monthly else _WEEKDAYS[moment.weekday()]


def _difference(measure: Measure, told: float) -> str:
    sign = "+" if told > 0 else ""
    if measure.by_ratio:
        return f"{sign}{100 * math.expm1(min(told, 10.0)):.3g} %"
    if measure.percent:
        return f"{sign}{100 * told:.3g} points"
    return f"{sign}{told:.4g}{' s' if measure.instants else ''}"


def _levels(levels: Levels) -> list[str]:
    opened = [
        f"the level accepted on {date.fromordinal(shift.day)} holds as well until it settles" for shift in levels.open
    ]
    moved = [f"the level is the one accepted on {date.fromordinal(levels.moved)}"] if levels.moved else []
    return [*moved, *opened]


def _standing(rule: Expected, history: int) -> list[str]:
    within = [f"{100 * rule.within:.3g} % around it are allowed"] if rule.within is not None else []
    young = [f"it may block from {rule.minimum_history} on"] if history < rule.minimum_history else []
    return [*within, *young]
