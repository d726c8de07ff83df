"""`sluice incident replay N`: the same inputs under the same contract again, in a sandbox, beside what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.border import ExitCode
from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Column, print_json, print_table, say
from sluice.errors import StagedFilesMissing
from sluice.healing.replayed import Seen, is_same, reasons_of, side_by_side
from sluice.version import Version

if TYPE_CHECKING:
    from pipeline_assets.cli.incident_sandbox import Rebuilt
    from sluice.healing.incident import Incident

COLUMNS = [Column(""), Column("then", folds=True), Column("in the sandbox", folds=True)]


def replay(
    number: Annotated[int, typer.Argument(metavar="N", help="The incident's number.")], *, as_json: AsJson = False
) -> None:
    """Build an incident's partition again in a sandbox, from the objects and contract of then; see whether it fails.

    Ends with 0 if the same failure comes again, with 1 if it does not. Your own home is not changed.
    """
    from pipeline_assets.cli.incident_sandbox import rebuild

    environment = open_environment()
    recorded = [item for item in environment.ledger.incidents() if item.number == number]
    if not recorded:
        raise typer.BadParameter(f"there is no incident {number}; see: sluice incidents --all", param_hint="N")
    incident = recorded[0]
    rebuilt = rebuild(environment, incident)
    again = _run(rebuilt, incident)
    then = _seen(environment, incident)
    if as_json:
        print_json([_row(incident, rebuilt, then, again)])
    else:
        _print(incident, rebuilt, then, again)
    if not is_same(then, again):
        raise typer.Exit(ExitCode.FAILED)


def _run(rebuilt: Rebuilt, incident: Incident) -> Seen:
    from pipeline_assets.cli.headless import build_places

    sandbox, place = rebuilt.environment, (incident.dataset, incident.partition)
    tags = {"sluice/fingerprint": Version.parse(incident.version).fingerprint, "sluice/purpose": "incident_replay"}
    build_places(sandbox, [place], tags=tags, on_progress=lambda _: None)
    found = [item for item in sandbox.ledger.incidents(incident.dataset) if item.partition == incident.partition]
    if found:
        return _seen(sandbox, found[-1])
    published = sandbox.ledger.published(*place)
    return Seen(None, reasons=reasons_of(published.outcome.reasons) if published else None)


def _seen(environment: Environment, incident: Incident) -> Seen:
    from sluice.gates import GATES
    from sluice.judging import gates_told

    gates = gates_told(incident.evidence, GATES)
    return Seen(str(incident.failure_class), gates, _reasons(environment, incident), incident.evidence)


def _reasons(environment: Environment, incident: Incident) -> tuple[str, ...] | None:
    from pipeline_assets.staging import fetch_outcome

    place = incident.dataset, incident.partition, Version.parse(incident.version)
    try:
        return reasons_of(fetch_outcome(environment.store, *place).reasons)
    except StagedFilesMissing:  # it failed before, or what was staged is gone
        return None


def _print(incident: Incident, rebuilt: Rebuilt, then: Seen, again: Seen) -> None:
    home = rebuilt.environment.settings.home
    say(
        f"Incident {incident.number}: {incident.dataset} {incident.partition}, version {incident.version}", style="bold"
    )
    say(f"  built from  {rebuilt.inputs}")
    say(f"  contract    {rebuilt.contract.version} ({rebuilt.contract.fingerprint})")
    for note in rebuilt.notes:
        say(f"  {note}", style="yellow")
    print_table(COLUMNS, [(item.what, item.then, item.again) for item in side_by_side(then, again)])
    if is_same(then, again):
        say("The same failure came again.", style="green")
    elif again.failure_class is None:
        say("It did not fail again.", style="yellow")
    else:
        say("It failed in another way.", style="yellow")
    say("To look into the sandbox:")
    say(f"  export SLUICE_HOME={home} SLUICE_PROJECT_DATASETS={home / 'datasets'}")
    say(f"  sluice gates {incident.dataset} {incident.partition}; sluice quarantine list; sluice query SQL; sluice up")
    say(f"It stays until you remove it: rm -r {home}")


def _row(incident: Incident, rebuilt: Rebuilt, then: Seen, again: Seen) -> dict[str, object]:
    return {
        "number": incident.number,
        "dataset": incident.dataset,
        "partition": incident.partition,
        "version": incident.version,
        "same": is_same(then, again),
        "then": _fields(then),
        "again": _fields(again),
        "contract": rebuilt.contract.version,
        "notes": list(rebuilt.notes),
        "home": str(rebuilt.environment.settings.home),
        "datasets": str(rebuilt.environment.settings.home / "datasets"),
    }


def _fields(seen: Seen) -> dict[str, object]:
    return {
        "class": seen.failure_class,
        "gates": list(seen.gates),
        "rejected": None if seen.reasons is None else list(seen.reasons),
        "evidence": seen.evidence,
    }
