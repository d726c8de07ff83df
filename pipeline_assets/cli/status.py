"""`sluice status`: every partition, its state and where its records went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline_assets.cli.breakers import open_lines
from pipeline_assets.cli.environment import open_environment
from pipeline_assets.cli.output import AsJson, Cell, Column, print_json, print_table, say
from sluice.wording import counted

if TYPE_CHECKING:
    from sluice.partition_state import PartitionStatus

STYLES = {
    "pending": "cyan",
    "running": "blue",
    "failed": "red",
    "rewound": "magenta",
    "held": "yellow",
    "blocked": "magenta",
    "stale": "yellow",
    "placeholder": "yellow",
    "published": "green",
}

COLUMNS = [
    Column("dataset"),
    Column("partition"),
    Column("state"),
    Column("records in", number=True),
    Column("published", number=True),
    Column("quarantined", number=True),
    Column("duplicates", number=True),
]


def status(
    *,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    partition: Annotated[str | None, typer.Option(help="Only this partition, YYYY-MM-DD.")] = None,
    state: Annotated[str | None, typer.Option(help="Only partitions in this state.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show every partition that has landed: its state and where its records went."""
    from pipeline_assets.cli.survey import survey
    from sluice.partition_state import State

    if state is not None and state not in set(State):
        raise typer.BadParameter(f"{state} is not one of {', '.join(State)}", param_hint="--state")
    environment = open_environment()
    if dataset is not None:
        environment.contract(dataset)
    found = [
        item
        for item in survey(environment)
        if dataset in {None, item.dataset} and partition in {None, item.partition} and state in {None, item.state}
    ]
    if as_json:
        print_json(asdict(item) for item in found)
    elif found:
        _print(found)
        for line in open_lines(environment):
            say(line, style="yellow")
    else:
        say("Nothing to show. Land a file first: sluice land DATASET FILE")


def _print(found: Sequence[PartitionStatus]) -> None:
    print_table(COLUMNS, [_row(item) for item in found])
    for item in found:
        if item.error:
            say(f"{item.dataset} {item.partition}: {item.error}", style="red")
        if item.stand_in:
            say(f"{item.dataset} {item.partition}: what is shown stands in ({item.stand_in})", style="yellow")
    counts = Counter(str(item.state) for item in found)
    states = ", ".join(f"{counts[name]:,} {name}" for name in STYLES if counts[name])
    say(f"{counted(len(found), 'partition')}: {states}")


def _row(item: PartitionStatus) -> list[Cell]:
    return [
        item.dataset,
        item.partition,
        Text(item.state, style=STYLES[item.state]),
        item.records_in,
        item.published,
        item.quarantined,
        item.duplicates,
    ]
