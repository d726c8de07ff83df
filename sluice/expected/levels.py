"""What a person accepted as a new level, and whether later partitions confirmed it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from sluice.expected.pattern import WINDOW, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.expected.pattern import Pattern, Point

SILENT_BELOW = 8
"""Partitions before anything is expected."""

_SETTLES = 4  # later partitions at one of the two levels: the majority of a week


@dataclass(frozen=True, slots=True)
class Shift:
    """An accepted level: how far from the usual, and how many partitions say so."""

    day: int
    size: float
    seen: int


@dataclass(frozen=True, slots=True)
class Levels:
    """`points` as if they had always been at today's level. While `open` shifts are undecided, both levels are right.

    `moved` is the day of the newest acceptance that became the level.
    """

    points: tuple[Point, ...]
    open: tuple[Shift, ...] = ()
    moved: int | None = None


def settle(points: Sequence[Point], accepted: Sequence[Point]) -> Levels:
    """Decide for each acceptance, by date, whether it was a new level or a single exception."""
    levels = Levels(tuple(points))
    # What is older than two windows moves nothing that anything is learned from.
    oldest = points[-2 * WINDOW :][0][0] if points else 0
    for day, value in (item for item in accepted if item[0] >= oldest):
        before = [point for point in levels.points if point[0] < day]
        if len(before) >= SILENT_BELOW:
            levels = _settled(levels, day, value, fit(before, day))
    if not levels.open:
        return levels
    first = levels.open[0].day
    return Levels(tuple(point for point in levels.points if point[0] < first), levels.open, levels.moved)


def _settled(levels: Levels, day: int, value: float, usual: Pattern) -> Levels:
    size = value - usual.at(day)
    old, new = 0, [size]
    for at, seen in levels.points:
        if at > day and old < _SETTLES and len(new) <= _SETTLES:
            distance = seen - usual.at(at)
            if abs(distance - size) < abs(distance):
                new.append(distance)
            else:
                old += 1
    shift = Shift(day, median(new), len(new))
    if len(new) > _SETTLES:
        return Levels(_move(levels.points, shift), (), day)
    if old == _SETTLES:
        return Levels(levels.points, levels.open, levels.moved)
    return Levels(levels.points, (*levels.open, shift), levels.moved)


def _move(points: Sequence[Point], shift: Shift) -> tuple[Point, ...]:
    """Lift older points to the new level; the few just before that were there already count as outliers from now on."""
    return tuple((at, value + shift.size if at < shift.day else value) for at, value in points)
