"""`sluice backfill`: launch a plan, watch it, pause it, go on with it."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Annotated, Any

import typer

from pipeline_assets.cli.border import ExitCode
from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Column, print_json, print_table, say
from pipeline_assets.cli.plan import print_plan, world_now
from sluice.backfill.chunk import PLAN_TAG
from sluice.backfill.progress import Backfill, Progress, Stage, decide_next, progress_of
from sluice.errors import BackfillRefused, did_you_mean

app = typer.Typer(help="Carry out planned backfills.", no_args_is_help=True)

PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, as `sluice plan backfill` prints it.")]
COLUMNS = [
    Column("plan"),
    Column("stage"),
    Column("datasets", folds=True),
    Column("published", number=True),
    Column("failed", number=True),
    Column("running", number=True),
    Column("waiting", number=True),
    Column("note", folds=True),
]
_LOOK_SECONDS = 2.0
_AT_ONCE = 10


@app.command()
def start(
    plan: PlanId,
    *,
    here: Annotated[bool, typer.Option("--here", help="Build it in this process; needs no `sluice up`.")] = False,
) -> None:
    """Launch a plan, unless the world has moved since it was made."""
    environment = open_environment()
    found = _fetch(environment, plan)
    if world_now(environment, found.plan) != found.plan.world:
        raise BackfillRefused(
            problem=f"plan {plan} has expired: files, contracts or code have changed since it was made",
            cure=f"Make a new one: {_command(found)}",
        )
    _move(environment, found, Stage.PLANNED, Stage.RUNNING)
    _carry_on(environment, plan, here=here)


@app.command()
def pause(plan: PlanId) -> None:
    """Begin nothing more; what is running ends by itself."""
    environment = open_environment()
    _move(environment, _fetch(environment, plan), Stage.RUNNING, Stage.PAUSED, note="paused by a person")
    say(f"Plan {plan} is paused. To go on: sluice backfill resume {plan}")


@app.command()
def resume(
    plan: PlanId,
    *,
    here: Annotated[bool, typer.Option("--here", help="Build it in this process; needs no `sluice up`.")] = False,
) -> None:
    """Go on with a paused or interrupted plan; what is published is not built again."""
    environment = open_environment()
    found = _fetch(environment, plan)
    # A plan that was interrupted runs still, for nobody could write down that it does not.
    is_interrupted = here and found.stage is Stage.RUNNING
    _move(environment, found, Stage.RUNNING if is_interrupted else Stage.PAUSED, Stage.RUNNING)
    _carry_on(environment, plan, here=here)


@app.command()
def show(plan: PlanId) -> None:
    """Print a plan as it was made."""
    environment = open_environment()
    print_plan(_fetch(environment, plan).plan, environment)


@app.command()
def status(
    plan: Annotated[str | None, typer.Argument(metavar="PLAN", help="Only this plan.")] = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Look again until nothing is running.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how far plans have come, and which partitions failed."""
    environment = open_environment()
    while True:
        found = [_fetch(environment, plan)] if plan else list(environment.ledger.backfills())
        looked = [(item, _progress(environment, item)) for item in found]
        _print(looked, as_json=as_json)
        if not watch or not any(item.stage is Stage.RUNNING for item, _ in looked):
            break
        time.sleep(_LOOK_SECONDS)
    if plan and looked[0][1].failed:
        raise typer.Exit(ExitCode.FAILED)


def _carry_on(environment: Environment, plan_id: str, *, here: bool) -> None:
    if not here:
        say(f"Plan {plan_id} is launched; a running `sluice up` builds it: sluice backfill status {plan_id} --watch")
        return
    tried: set[tuple[str, str]] = set()
    while built := _advance(environment, plan_id, tried):
        tried |= built
    found = _fetch(environment, plan_id)
    progress = _progress(environment, found)
    _print([(found, progress)], as_json=False)
    if found.stage is Stage.PAUSED or progress.failed:
        raise typer.Exit(ExitCode.FAILED)


def _advance(environment: Environment, plan_id: str, tried: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Do what comes next in this process; return what was built, nothing at the end.

    What was `tried` and left no attempt, as an input is not published, is not tried again.
    """
    from pipeline_assets.cli.headless import build_runs
    from pipeline_assets.cli.logged_progress import shown_progress

    found = _fetch(environment, plan_id)
    decided = decide_next(found, _progress(environment, found, tried), environment.contracts, _AT_ONCE)
    if decided.stage is not None:
        now = environment.clock.now()
        environment.ledger.change_backfill(plan_id, Stage.RUNNING, decided.stage, now, note=decided.note)
    runs = [[item.place for item in targets] for targets in decided.runs]
    if runs:
        with shown_progress(environment, to_stderr=False) as lines:
            build_runs(environment, runs, tags={PLAN_TAG: plan_id}, on_progress=lines)
    return {place for places in runs for place in places}


def _fetch(environment: Environment, plan_id: str) -> Backfill:
    found = environment.ledger.backfill(plan_id)
    if found is None:
        known = [item.plan.plan_id for item in environment.ledger.backfills()]
        cure = did_you_mean(plan_id, known) if known else "Make one: sluice plan backfill DATASET"
        raise BackfillRefused(problem=f'there is no plan "{plan_id}"', cure=cure)
    return found


def _move(environment: Environment, found: Backfill, expected: Stage, stage: Stage, note: str = "") -> None:
    plan_id = found.plan.plan_id
    if not environment.ledger.change_backfill(plan_id, expected, stage, environment.clock.now(), note=note):
        now = _fetch(environment, plan_id).stage
        raise BackfillRefused(problem=f"plan {plan_id} is {now}, not {expected}", cure=_CURES[now].format(plan=plan_id))


def _progress(environment: Environment, found: Backfill, given_up: Collection[tuple[str, str]] = ()) -> Progress:
    from pipeline_assets.cli.survey import survey

    return progress_of(found, survey(environment), environment.ledger.last_attempt, (), given_up)


def _command(found: Backfill) -> str:
    asked = found.plan.asked
    options = [("--from", asked.first), ("--to", asked.last), ("--only", asked.only)]
    words = [f"{name} {value}" for name, value in options if value is not None]
    return " ".join(["sluice plan backfill", *asked.datasets, *words])


def _print(looked: list[tuple[Backfill, Progress]], *, as_json: bool) -> None:
    if as_json:
        print_json(_row(found, progress) for found, progress in looked)
    elif not looked:
        say("No backfill has been planned. Make one: sluice plan backfill DATASET")
    else:
        print_table(COLUMNS, [list(_row(found, progress).values())[: len(COLUMNS)] for found, progress in looked])
        for _, progress in looked:
            for item in progress.failed:
                say(
                    f"failed: {item.dataset} {item.partition}; why: sluice status --dataset {item.dataset}", style="red"
                )


def _row(found: Backfill, progress: Progress) -> dict[str, Any]:  # Any: cells and JSON values
    return {
        "plan": found.plan.plan_id,
        "stage": str(found.stage),
        "datasets": ", ".join(found.plan.asked.datasets),
        "published": len(progress.done),
        "failed": len(progress.failed),
        "running": len(progress.running),
        "waiting": len(progress.waiting) + len(progress.held),
        "note": found.note,
        "failed_partitions": [list(item.place) for item in progress.failed],
    }


_CURES = {
    Stage.PLANNED: "Launch it: sluice backfill start {plan}",
    Stage.RUNNING: "Watch it: sluice backfill status {plan} --watch",
    Stage.PAUSED: "Go on with it: sluice backfill resume {plan}",
    Stage.DONE: "What failed can be planned anew: sluice plan backfill DATASET --only failed",
}
