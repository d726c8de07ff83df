"""`sluice slo`: the time every dataset promises, and how often it was kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline_assets.cli.environment import open_environment
from pipeline_assets.cli.output import AsJson, Cell, Column, print_json, print_table, say

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.freshness import Slo

COLUMNS = [
    Column("dataset", folds=True),
    Column("objective", folds=True),
    Column("due", number=True),
    Column("on time", number=True),
    Column("late", number=True),
    Column("breached", number=True),
    Column("attained", number=True),
    Column("budget left", number=True, folds=True),
    Column("next deadline", folds=True),
]


def slo(
    *,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Deadlines of the last so many days.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show when partitions are due, how many were on time, and how much of the error budget is left."""
    from sluice.freshness import attainment

    environment = open_environment()
    names = environment.contracts if dataset is None else [environment.contract(dataset).dataset]
    now = environment.clock.now()
    records = [
        attainment(environment.contracts[name], environment.ledger.first_published(name), now, days)
        for name in sorted(names)
        if environment.contracts[name].freshness
    ]
    found = [item for item in records if item is not None]
    if as_json:
        print_json(_fields(item) for item in found)
    elif found:
        _print(found, now)
    else:
        say("Nothing is promised. Add slaProperties to a contract: docs/freshness.md")


def _print(found: Sequence[Slo], now: datetime) -> None:
    from sluice.freshness import instant_text, span_text

    print_table(COLUMNS, [_row(item) for item in found])
    for item in found:
        for due in item.breached:
            when = f"{instant_text(due.deadline)}, {span_text(now - due.deadline)} ago"
            say(f"{item.dataset} {due.partition} is not published; it was due {when}", style="red")


def _row(item: Slo) -> list[Cell]:
    from sluice.freshness import instant_text, percent_text

    style = "green" if item.is_met else "red"
    return [
        item.dataset,
        f"{item.freshness.text}\n{percent_text(item.freshness.objective)}",
        item.due,
        item.on_time,
        len(item.late),
        len(item.breached),
        Text("" if item.attained is None else f"{item.attained * 100:.1f} %", style=style),
        Text(f"{item.budget_left:.4g} of {item.budget:.4g}", style=style),
        instant_text(item.upcoming.deadline),
    ]


def _fields(item: Slo) -> dict[str, object]:
    return {
        "dataset": item.dataset,
        "promise": item.freshness.text,
        "objective": item.freshness.objective,
        "days": item.days,
        "due": item.due,
        "on_time": item.on_time,
        "late": [due.partition for due in item.late],
        "breached": [due.partition for due in item.breached],
        "attained": item.attained,
        "budget": item.budget,
        "budget_left": item.budget_left,
        "budget_left_share": item.budget_left_share,
        "next_partition": item.upcoming.partition,
        "next_deadline": item.upcoming.deadline.isoformat(),
    }
