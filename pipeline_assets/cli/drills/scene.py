"""A drill as data: contracts, and steps that break something and say what must be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pipeline_assets.cli.drills.stage import Stage


class StepFailed(Exception):
    """What a step needed was not so, or not in time; the result of the drill says it, nobody else sees it."""


@dataclass(frozen=True, slots=True)
class Do:
    """Something that the world or a person does. What `act` returns, if anything, is what is told instead of `what`."""

    what: str
    act: Callable[[Stage], str | None]
    who: str = "drill"


@dataclass(frozen=True, slots=True)
class Expect:
    """Something that Sluice has to do by itself; the drill waits until it `holds`."""

    what: str
    holds: Callable[[Stage], bool]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a reader of the tables must see at this moment."""

    what: str
    sql: str
    answer: Sequence[tuple[object, ...]]


Step: TypeAlias = Do | Expect | Ask


@dataclass(frozen=True, slots=True)
class Scene:
    """`environ` is added to the environment of the servers."""

    contracts: Mapping[str, str]
    steps: Sequence[Step]
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drill:
    """`build` gets the present time, and a stack for what the scene needs while it is played."""

    name: str
    title: str
    build: Callable[[ExitStack, datetime], Scene]
