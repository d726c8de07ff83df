"""`sluice accept`: a person takes a blocked partition as right."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import say
from sluice.errors import AcceptanceRefused, did_you_mean
from sluice.gates import GATES
from sluice.judged import Judged


def accept(
    dataset: Annotated[str, typer.Argument(help="The dataset.")],
    date: Annotated[str, typer.Argument(help="The partition, YYYY-MM-DD.")],
    gate: Annotated[str, typer.Argument(help="The gate that does not hold; `sluice gates` lists them.")],
    *,
    why: Annotated[str, typer.Option(help="The reason, for those who ask later.")],
    by: Annotated[str | None, typer.Option(help="Who accepts it; default: the user of this computer.")] = None,
) -> None:
    """Accept what a gate refused, for these very data: the partition is published, a learned limit learns from it."""
    environment = open_environment()
    environment.contract(dataset)
    judged = _fetch_refused(environment, dataset, date, gate)
    if not why.strip():
        raise typer.BadParameter("write a reason", param_hint="--why")
    accepted = environment.ledger.accept(
        judged, why=why.strip(), accepted_by=by or getpass.getuser(), accepted_at=environment.clock.now()
    )
    say(f"Accepted: {gate} of {dataset} {date}, by {accepted.accepted_by}: {accepted.why}", style="green")
    say(f"It said: {judged.verdict.explanation}")
    say("A running `sluice up` publishes the partition within seconds; else: sluice run")


def _fetch_refused(environment: Environment, dataset: str, date: str, name: str) -> Judged:
    """Return the verdict that is to be accepted; raises AcceptanceRefused with what there is instead."""
    gates = {gate.name: gate for gate in GATES}

    def refuse(problem: str, cure: str) -> AcceptanceRefused:
        return AcceptanceRefused(gate=name, dataset=dataset, partition=date, problem=problem, cure=cure)

    if name not in gates:
        raise refuse("is no gate", did_you_mean(name, gates))
    recorded = {item.gate: item for item in environment.ledger.verdicts(dataset, date)}
    if name not in recorded:
        raise refuse("has not been judged", "Run the partition first; `sluice gates` shows what is blocked.")
    if recorded[name].verdict.holds:
        raise refuse("holds, so there is nothing to accept", "`sluice gates` shows what is blocked.")
    if not gates[name].acceptable:
        raise refuse("cannot be accepted, for it proves that nothing went wrong on the way", gates[name].cure)
    return recorded[name]
