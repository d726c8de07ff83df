"""`sluice incidents`: what went wrong, what was done about it, and what a person can do."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline_assets.cli import incident_replay
from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Cell, Column, print_json, print_table, say, warn
from sluice.cost.money import usd_text
from sluice.errors import ContractError
from sluice.wording import counted

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.healing.incident import Incident, RemedyTaken

STYLES = {"open": "yellow", "escalated": "red", "resolved": "green"}

COLUMNS = [
    Column("#", number=True),
    Column("dataset", folds=True),
    Column("partition"),
    Column("class"),
    Column("state"),
    Column("for", number=True),
    Column("what happened", folds=True),
]
REMEDY_COLUMNS = [Column("when"), Column("remedy"), Column("note", folds=True), Column("USD", number=True)]

SHOWN_CHARACTERS = 160
"""How much of the evidence the list shows; `show` and `--json` have all of it."""

app = typer.Typer(
    help="Show what went wrong and is not resolved, and everything about one incident.", invoke_without_command=True
)


app.command("replay")(incident_replay.replay)


@app.callback()
def incidents(
    context: typer.Context,
    *,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Resolved ones, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what went wrong and is not resolved; with `show N` everything about one incident."""
    if context.invoked_subcommand is not None:
        return
    environment = open_environment()
    found = environment.ledger.incidents(dataset, open_only=not every)
    if not found and dataset is not None:
        environment.contract(dataset)  # one that is no longer declared may still have incidents
    if as_json:
        print_json(_fields(item) for item in _complete(environment, found))
    elif found:
        _print_list(found, environment.clock.now())
    else:
        say("Nothing has gone wrong." if every else "No incident is open. Resolved ones: sluice incidents --all")


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="N", help="The incident's number.")],
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a ticket, ready to paste.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show everything about one incident: evidence, remedies with time and cost, and what a person can do."""
    from sluice.healing.ticket import ticket

    environment = open_environment()
    incident = _fetch(environment, number)
    if as_json:
        print_json([_fields(incident)])
        return
    gates = _acceptable_gates(environment, incident)
    if markdown:
        sys.stdout.write(ticket(incident, gates, _consumers(environment, incident)))
    else:
        _print_one(incident, gates, _consumers(environment, incident))


def _fetch(environment: Environment, number: int) -> Incident:
    recorded = [item for item in environment.ledger.incidents() if item.number == number]
    if not recorded:
        raise typer.BadParameter(f"there is no incident {number}; see: sluice incidents --all", param_hint="N")
    return _complete(environment, recorded)[0]


def _complete(environment: Environment, found: Sequence[Incident]) -> tuple[Incident, ...]:
    """Fill in what incidents do not carry themselves: costs, and which datasets they reach."""
    from sluice.healing.healing_cost import with_costs

    reached = _fetch_downstream(environment, {item.dataset for item in found if not item.downstream})
    complete = (replace(item, downstream=item.downstream or reached.get(item.dataset, ())) for item in found)
    return with_costs(complete, environment.ledger.spends() if found else ())


def _fetch_downstream(environment: Environment, datasets: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """A contract that cannot be read may be the very reason to look at incidents, so it hides none."""
    from sluice.healing.downstream import downstream

    try:
        return {name: downstream(environment.contracts, name) for name in datasets}
    except ContractError as error:
        warn(f"Which datasets are affected cannot be told: {error.message}", style="yellow")
        return {}


def _consumers(environment: Environment, incident: Incident) -> tuple[str, ...]:
    """Say who reads what it reaches; a contract that cannot be read hides them, not the incident."""
    from sluice.consumers import consumers_of

    try:
        affected = consumers_of(environment.contracts, (incident.dataset, *incident.downstream))
    except ContractError as error:
        warn(f"Who reads it cannot be told: {error.message}", style="yellow")
        return ()
    return tuple(str(item) for item in affected)


def _acceptable_gates(environment: Environment, incident: Incident) -> tuple[str, ...]:
    """Return the gates that stop this very version and that a person may take on trust."""
    from sluice.gates import GATES
    from sluice.judging import stopping

    ledger, acceptable = environment.ledger, {gate.name for gate in GATES if gate.acceptable}
    judged = ledger.verdicts(incident.dataset, incident.partition)
    stopped_by = stopping(judged, ledger.acceptances(incident.dataset))
    return tuple(item.gate for item in stopped_by if item.version == incident.version and item.gate in acceptable)


def _print_list(found: Sequence[Incident], now: datetime) -> None:
    from sluice.healing.state import IncidentState, state_of

    print_table(COLUMNS, [_row(item, now) for item in found])
    states = [state_of(item) for item in found]
    escalated = states.count(IncidentState.ESCALATED)
    is_open = len(found) - states.count(IncidentState.RESOLVED)
    needed = f", {escalated:,} of them for a person" if escalated else ""
    urgent = found[states.index(IncidentState.ESCALATED)] if escalated else found[-1]
    say(f"{counted(is_open, 'incident')} open{needed}. Everything about one: sluice incidents show {urgent.number}")


def _row(item: Incident, now: datetime) -> list[Cell]:
    from sluice.freshness import span_text
    from sluice.healing.state import state_of

    state = state_of(item)
    told = " ".join(item.evidence.split())
    return [
        str(item.number),
        item.dataset,
        item.partition,
        item.failure_class,
        Text(state, style=STYLES[state]),
        span_text((item.resolved_at or now) - item.detected_at),
        told if len(told) <= SHOWN_CHARACTERS else f"{told[:SHOWN_CHARACTERS]} ...",
    ]


def _print_one(incident: Incident, gates: Sequence[str], consumers: Sequence[str]) -> None:
    from sluice.healing.next_steps import next_steps
    from sluice.healing.ticket import facts_of

    say(f"Incident {incident.number}: {incident.dataset} {incident.partition}", style="bold")
    for what, value in facts_of(incident, consumers):
        say(f"  {what:<12}{value}")
    say("\nWhat happened", style="bold")
    say(incident.evidence.strip())
    say("\nWhat was done", style="bold")
    if incident.remedies:
        print_table(REMEDY_COLUMNS, [_remedy_row(item) for item in incident.remedies])
    else:
        say("No remedy was taken.")
    steps = next_steps(incident, gates)
    if steps:
        say("\nWhat you can do", style="bold")
    for step in steps:
        say(f"- {step}")


def _remedy_row(item: RemedyTaken) -> list[Cell]:
    from sluice.freshness import instant_text

    cost = "" if item.usd is None else usd_text(item.usd)
    return [instant_text(item.taken_at), item.kind.replace("_", " "), item.note, cost]


def _fields(item: Incident) -> dict[str, object]:
    from sluice.healing.state import state_of

    return {
        "number": item.number,
        "dataset": item.dataset,
        "partition": item.partition,
        "version": item.version,
        "class": str(item.failure_class),
        "state": str(state_of(item)),
        "opened_at": item.opened_at.isoformat(),
        "detected_at": item.detected_at.isoformat(),
        "resolved_at": item.resolved_at.isoformat() if item.resolved_at else None,
        "resolved_by": item.resolved_by,
        "evidence": item.evidence,
        "run_id": item.run_id,
        "downstream": list(item.downstream),
        "remedies": [
            {
                "kind": str(remedy.kind),
                "taken_at": remedy.taken_at.isoformat(),
                "note": remedy.note,
                "run_id": remedy.run_id,
                "usd": remedy.usd,
            }
            for remedy in item.remedies
        ],
    }
