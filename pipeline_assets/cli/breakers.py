"""`sluice breakers`: what failed so often in a row that nothing more is launched, and what is held by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Cell, Column, print_json, print_table, say
from sluice.wording import counted

if TYPE_CHECKING:
    from sluice.healing.breaker import Breaker

STYLES = {"closed": "green", "open": "red", "half_open": "yellow"}

COLUMNS = [
    Column("breaker"),
    Column("state"),
    Column("class"),
    Column("failures", number=True),
    Column("open for"),
    Column("next probe"),
    Column("held", number=True),
]


@dataclass(frozen=True, slots=True)
class Shown:
    """A breaker, and how many partitions it holds (perhaps together with another)."""

    breaker: Breaker
    held: int


def breakers(
    *,
    every: Annotated[bool, typer.Option("--all", help="Closed ones as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show breakers: what failed too often in a row is not launched again until one probe succeeds."""
    environment = open_environment()
    found = [item for item in fetch_breakers(environment) if every or item.breaker.holds_back]
    if as_json:
        print_json(_fields(item) for item in found)
    elif found:
        print_table(COLUMNS, [_row(item, environment.clock.now()) for item in found])
        say("Held partitions are built by themselves once a probe succeeds. What went wrong: sluice incidents")
    else:
        say("Every breaker is closed.")


def fetch_breakers(environment: Environment) -> tuple[Shown, ...]:
    """Return all breakers, outside systems first."""
    from sluice.healing.breakers import Breakers

    known = Breakers(environment.contracts, environment.ledger, environment.clock.now())
    held = _held(environment)
    users: dict[str, set[str]] = {}
    found: dict[str, Breaker] = {}
    for dataset in environment.contracts:
        for breaker in known.of(dataset):
            users.setdefault(breaker.key, set()).add(dataset)
            found[breaker.key] = _soonest(found.get(breaker.key, breaker), breaker)
    shown = [Shown(item, sum(held.get(name, 0) for name in users[key])) for key, item in found.items()]
    return tuple(sorted(shown, key=lambda item: (item.breaker.key.startswith("dataset "), item.breaker.key)))


def open_lines(environment: Environment) -> Iterable[str]:
    """Yield one line for each breaker that is not closed."""
    from sluice.healing.breaker import explain_breaker

    for item in fetch_breakers(environment):
        if item.breaker.holds_back:
            yield f"{explain_breaker(item.breaker)} Held: {counted(item.held, 'partition')}."


def _held(environment: Environment) -> Mapping[str, int]:
    from collections import Counter

    from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
    from sluice.judging import stopping

    blocking = environment.ledger.blocking_verdicts()
    stopped = stopping(blocking, environment.ledger.acceptances())
    return Counter(item.dataset for item in stopped if item.gate == BREAKER_IS_CLOSED.name)


def _soonest(one: Breaker, other: Breaker) -> Breaker:
    """Of a system as several contracts see it, show what lets something go on first."""
    if one.probe_at is None or other.probe_at is None:
        return one if one.probe_at is not None else other
    return one if one.probe_at <= other.probe_at else other


def _row(item: Shown, now: datetime) -> Sequence[Cell]:
    from sluice.freshness import span_text

    breaker, probe_at = item.breaker, item.breaker.probe_at
    due = "" if probe_at is None else "is due" if probe_at <= now else f"in {span_text(probe_at - now)}"
    return [
        breaker.key,
        Text(breaker.state.replace("_", " "), style=STYLES[breaker.state]),
        breaker.failure_class,
        len(breaker.failed),
        span_text(now - breaker.opened_at) if breaker.opened_at else "",
        due,
        item.held,
    ]


def _fields(item: Shown) -> Mapping[str, object]:
    breaker = item.breaker
    return {
        "breaker": breaker.key,
        "state": str(breaker.state),
        "class": None if breaker.failure_class is None else str(breaker.failure_class),
        "failures": len(breaker.failed),
        "opened_at": breaker.opened_at.isoformat() if breaker.opened_at else None,
        "probe_at": breaker.probe_at.isoformat() if breaker.probe_at else None,
        "held": item.held,
    }
