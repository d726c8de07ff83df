"""`sluice rewind`: published data goes back to what a table showed before."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Column, print_json, print_table, say, warn
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_assets.rewind_record import Reason
    from sluice.outcome import Outcome
    from sluice.rewinding import Rewind, Step

    Downstream = tuple[tuple[str, str], ...]


def rewind(
    dataset: Annotated[str, typer.Argument(help="The dataset.")],
    *,
    to: Annotated[str, typer.Option(help="A snapshot id, an instant with its zone, or a run id: to before that run.")],
    partition: Annotated[str | None, typer.Option(help="Only this partition, YYYY-MM-DD; else all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    why: Annotated[str, typer.Option(help="The reason, for those who ask later.")] = "",
    by: Annotated[str | None, typer.Option(help="Who takes it back; default: the user of this computer.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take published data back to what the table showed then, in one commit; bad versions do not come back."""
    from sluice.rewinding import parse_point

    if not dry_run and not why.strip():
        raise typer.BadParameter("write a reason", param_hint="--why")
    environment, point = open_environment(), parse_point(to)
    environment.contract(dataset)
    planned = environment.tables.plan_rewind(dataset, point, partition)
    if partition is not None and not planned.steps:
        warn(f"{dataset} {partition} shows what it showed then; partitions are written YYYY-MM-DD.")
    downstream = _downstream(environment, planned)
    if dry_run:
        _show(planned, {}, downstream, as_json=as_json)
        if not as_json:
            _say_consumers(environment, planned, downstream)
            say(f"{counted(len(planned.changes), 'partition')} of {dataset} would change; nothing was changed.")
        return
    from pipeline_assets.rewind_record import Reason, fetch_outcomes

    outcomes = fetch_outcomes(environment.store, planned)  # before the commit: what is missing refuses the rewind
    rewinder = by or getpass.getuser()
    done = environment.tables.rewind(dataset, point, partition, why=why.strip(), rewound_by=rewinder)
    outcomes = {**fetch_outcomes(environment.store, done), **outcomes}
    reason = Reason(why.strip(), rewinder, tuple(dict.fromkeys(name for name, _ in downstream)))
    followed = _record(environment, done, outcomes, reason)
    _show(done, outcomes, downstream, as_json=as_json)
    if not as_json:
        _say_done(done, followed)


def _record(environment: Environment, done: Rewind, outcomes: Mapping[str, Outcome], reason: Reason) -> tuple[str, ...]:
    from pipeline_assets.evidence import Witnesses
    from pipeline_assets.rewind_record import RewindRecord
    from resources.dagster_home import open_dagster

    ports = Witnesses(
        environment.store,
        environment.ledger,
        environment.tables,
        environment.clock,
        environment.prices,
        environment.settings,
        environment.expectation_engine,
    )
    with open_dagster(environment.settings.dagster_home) as instance:
        return RewindRecord(environment.contract(done.dataset), ports, instance).write(done, outcomes, reason)


def _downstream(environment: Environment, rewind: Rewind) -> Downstream:
    from sluice.rewinding import downstream

    published = (item.outcome for item in environment.ledger.all_published())
    return downstream(rewind, environment.contracts, published)


def _show(rewind: Rewind, outcomes: Mapping[str, Outcome], downstream: Downstream, *, as_json: bool) -> None:
    rows = [_row(rewind, step, outcomes, downstream) for step in rewind.steps]
    if as_json:
        print_json(rows)
        return
    if rewind.changes:
        columns = [Column("partition"), Column("shows", folds=True), Column("goes back to", folds=True)]
        print_table(columns, [(step.partition, str(step.shown), _named(step)) for step in rewind.changes])
    for name, day in downstream:
        say(f"To be built again: {name} {day}", style="yellow")


def _say_consumers(environment: Environment, rewind: Rewind, downstream: Downstream) -> None:
    from sluice.consumers import consumers_of

    affected = dict.fromkeys((rewind.dataset, *(name for name, _ in downstream)))
    for consumer in consumers_of(environment.contracts, affected if rewind.changes else ()):
        say(f"Consumer: {consumer}.", style="yellow")


def _row(rewind: Rewind, step: Step, outcomes: Mapping[str, Outcome], downstream: Downstream) -> Mapping[str, object]:
    return {
        "dataset": rewind.dataset,
        "partition": step.partition,
        "changes": step.changes,
        "shows": str(step.shown),
        "target": str(step.target),
        "rows": outcomes[step.partition].published if step.partition in outcomes else None,
        "downstream": [name for name, day in downstream if day == step.partition],
    }


def _named(step: Step) -> str:
    from sluice.rewinding import NOTHING

    return "nothing: it was not published then" if step.target == NOTHING else str(step.target)


def _say_done(rewind: Rewind, followed: tuple[str, ...]) -> None:
    if not rewind.changes:
        mended = f" The ledger now says so for {counted(len(followed), 'partition')}." if followed else ""
        say(f"Nothing to change: {rewind.dataset} shows what it showed then.{mended}", style="green")
        return
    days = rewind.changes
    one = f" --partition {days[0].partition}" if len(days) == 1 else ""
    say(f"Taken back: {counted(len(days), 'partition')} of {rewind.dataset}, in one commit.", style="green")
    say("What was taken back is not published again; a corrected file or contract is.")
    say(f"To undo it: sluice rewind {rewind.dataset} --to {rewind.newest}{one} --why REASON")
    say("A running `sluice up` builds what is derived from it; else: sluice run")
