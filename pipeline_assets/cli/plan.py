"""`sluice plan backfill`: what would be built, why, what it reaches and what it is estimated to take."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Column, print_json, print_table, say
from sluice.backfill.chunk import USUAL, Chunking, chunked
from sluice.backfill.plan import Asked, Only, Plan, Target, plan_backfill, world_of
from sluice.backfill.progress import Backfill, Stage
from sluice.cost.money import usd_text
from sluice.errors import BackfillRefused
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sluice.cost.budget import Estimate
    from sluice.manifest import Manifest

app = typer.Typer(help="Look before anything is built.", no_args_is_help=True)

COLUMNS = [
    Column("dataset", folds=True),
    Column("why", folds=True),
    Column("partitions", number=True),
    Column("first"),
    Column("last"),
    Column("MB in", number=True),
    Column("seconds", number=True),
    Column("USD", number=True),
]
_MEGABYTE = 1_000_000


@app.callback()
def options() -> None:
    """Look before anything is built."""


@app.command()
def backfill(
    datasets: Annotated[list[str], typer.Argument(metavar="DATASET...", help="The datasets to build.")],
    *,
    first: Annotated[str | None, typer.Option("--from", help="The first date, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last date, YYYY-MM-DD.")] = None,
    only: Annotated[
        Only | None, typer.Option(help="Only such partitions; default: all, which are those that are not right.")
    ] = None,
    chunk: Annotated[
        int | None, typer.Option(min=1, help="At most so many partitions in a run; default: as estimates suggest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Choose partitions, show what building them takes and reaches, and save the plan; nothing is launched."""
    environment = open_environment()
    asked = Asked(datasets=_known(environment, datasets), first=_date(first), last=_date(last), only=only)
    plan = _plan(environment, asked, USUAL if chunk is None else Chunking(partitions=chunk))
    if plan.targets:
        environment.ledger.add_backfill(Backfill(plan, Stage.PLANNED, plan.created_at))
    if as_json:
        print_json(_row(plan, target) for target in plan.targets)
    else:
        print_plan(plan, environment)


def world_now(environment: Environment, plan: Plan) -> str:
    """Return the digest of today's world, of the partitions that the plan looked at."""
    return _world(environment, plan.asked, _manifests(environment).values())


def print_plan(plan: Plan, environment: Environment) -> None:
    right = f"{counted(plan.as_they_should_be, 'partition')} of the range need nothing"
    if not plan.targets:
        say(f"Nothing to build: {right}.", style="green")
        return
    print_table(COLUMNS, _groups(plan.targets), title=f"Plan {plan.plan_id}")
    for reach in plan.reaches:
        owner = f", owned by {reach.owner}" if reach.owner else ""
        span = f"{reach.partitions[0]} to {reach.partitions[-1]}" if len(reach.partitions) > 1 else reach.partitions[0]
        days = counted(len(reach.partitions), "partition")
        say(f"Reaches {reach.dataset}{owner}: {days} ({span}) built again.", style="yellow")
    for consumer in plan.consumers:
        say(f"Consumer: {consumer}.", style="yellow")
    for line in _budgets(plan, environment):
        say(line)
    canary = plan.canary
    say(f"{counted(len(plan.targets), 'partition')} to build; {right}.")
    say(f"First alone, as canary: {canary.dataset} {canary.partition}.")
    if runs := chunked(plan.targets[1:], plan.chunking):
        most = max(len(run) for run in runs)
        say(f"Then in {counted(len(runs), 'run')} of up to {counted(most, 'partition')}.")
    say(f"Launch it: sluice backfill start {plan.plan_id}")


def _known(environment: Environment, datasets: Iterable[str]) -> tuple[str, ...]:
    return tuple(environment.contract(name).dataset for name in dict.fromkeys(datasets))


def _date(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise typer.BadParameter(f'"{text}" is no date; write it as 2026-11-01.') from error


def _plan(environment: Environment, asked: Asked, chunking: Chunking) -> Plan:
    from pipeline_assets.cli.survey import survey

    if asked.first and asked.last and asked.first > asked.last:
        raise BackfillRefused(problem=f"{asked.first} is after {asked.last}", cure="Swap --from and --to.")
    manifests = _manifests(environment)
    estimates = _Estimates(environment, manifests)
    world = _world(environment, asked, manifests.values())
    now = environment.clock.now()
    return plan_backfill(asked, survey(environment), environment.contracts, estimates.of, world, now, chunking)


def _manifests(environment: Environment) -> Mapping[tuple[str, str], Manifest]:
    from pipeline_assets.cli.survey import manifests

    return manifests(environment)


def _world(environment: Environment, asked: Asked, manifests: Iterable[Manifest]) -> str:
    landed = [
        (item.dataset, item.partition, item.fingerprint)
        for item in manifests
        if item.dataset in asked.datasets and asked.covers(item.partition)
    ]
    return world_of({name: environment.contracts[name] for name in asked.datasets}, landed)


class _Estimates:
    """What building each partition is estimated to take; the history of a dataset is read once."""

    def __init__(self, environment: Environment, manifests: Mapping[tuple[str, str], Manifest]) -> None:
        self._environment = environment
        self._manifests = manifests
        from sluice.cost.estimate import NEWEST_BUILDS

        self._builds = {name: environment.ledger.builds(name, NEWEST_BUILDS) for name in environment.contracts}
        published = (item.outcome for item in environment.ledger.all_published())
        self._sizes = {(item.dataset, item.partition): item.bytes_out for item in published}

    def of(self, dataset: str, partition: str) -> Estimate:
        from sluice.cost.estimate import estimate
        from sluice.derivation import inputs_of

        contract = self._environment.contracts[dataset]
        manifest = self._manifests.get((dataset, partition))
        inputs = inputs_of(contract, self._environment.contracts)
        size = manifest.size_bytes if manifest else sum(self._sizes.get((name, partition), 0) for name in inputs)
        objects = len(manifest.objects) if manifest else len(inputs)
        prices = self._environment.prices
        return estimate(contract, size, objects, self._builds[dataset], prices, already_staged=False)


def _groups(targets: Sequence[Target]) -> list[list[str | int | float]]:
    groups: dict[tuple[str, str], list[Target]] = {}
    for target in targets:
        groups.setdefault((target.dataset, target.why), []).append(target)
    return [
        [
            dataset,
            why,
            len(items),
            min(item.partition for item in items),
            max(item.partition for item in items),
            round(sum(item.bytes_in for item in items) / _MEGABYTE, 1),
            round(sum(item.seconds for item in items), 1),
            usd_text(sum(item.usd for item in items)),
        ]
        for (dataset, why), items in groups.items()
    ]


def _budgets(plan: Plan, environment: Environment) -> Iterable[str]:
    """Tell where the estimate exceeds what is left of a month's budget: the gate would stop those partitions."""
    from sluice.cost.report import cost_report

    contracts = {name: environment.contracts[name] for name in plan.asked.datasets}
    month = f"{plan.created_at:%Y-%m}"
    for row in cost_report(environment.ledger.spends(), contracts, plan.created_at, month, environment.prices):
        wanted = sum(item.usd for item in plan.targets if item.dataset == row.dataset)
        if row.left_usd is not None and wanted:
            fits = "fits into" if wanted <= row.left_usd else "exceeds"
            yield f"{row.dataset}: {usd_text(wanted)} USD {fits} the {usd_text(row.left_usd)} USD left of {month}."


def _row(plan: Plan, target: Target) -> dict[str, object]:
    return {"plan": plan.plan_id, **target.model_dump(), "canary": target == plan.canary}
