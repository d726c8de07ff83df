"""`sluice maintain`: tables kept small and whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.border import ExitCode
from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, print_json, say, warn
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline_assets.maintaining import Maintenance
    from sluice.contract import Contract
    from sluice.maintenance.plan import Plan


def maintain(
    datasets: Annotated[list[str] | None, typer.Argument(help="The datasets; default: all.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what there is to do, and do nothing.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only look for published files that are gone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compact small files, forget old snapshots, remove what nothing refers to, build anew what is lost."""
    environment = open_environment()
    names = datasets or list(environment.contracts)
    contracts = [environment.contract(name) for name in dict.fromkeys(names)]
    from pipeline_assets.maintaining import Maintenance

    doing = Maintenance(
        environment.store, environment.ledger, environment.upkeep, environment.clock, environment.settings.scratch
    )
    if check:
        _check(contracts, environment, as_json=as_json)
    elif dry_run:
        _show_plans([doing.plan(contract) for contract in contracts], as_json=as_json)
    else:
        _perform(contracts, doing, environment, as_json=as_json)


def _perform(contracts: Sequence[Contract], doing: Maintenance, environment: Environment, *, as_json: bool) -> None:
    from sluice.maintenance.report import tell

    reports = [doing.perform(item, lambda days, item=item: _rebuild(environment, item, days)) for item in contracts]  # type: ignore[misc]  # mypy does not infer a lambda's default
    left = doing.clear_workspaces(max(item.maintenance.grace for item in environment.contracts.values()))
    if as_json:
        print_json([asdict(report) for report in reports])
    else:
        _say({report.dataset: tuple(tell(report)) for report in reports})
        if left:
            say(f"Removed {counted(left, 'workspace')} of killed runs.")
    if not all(report.is_whole for report in reports):
        raise typer.Exit(ExitCode.FAILED)


def _rebuild(environment: Environment, contract: Contract, partitions: Sequence[str]) -> None:
    from pipeline_assets.cli.headless import build_places
    from pipeline_assets.cli.logged_progress import shown_progress
    from pipeline_assets.maintenance import TAGS

    with shown_progress(environment, to_stderr=True) as lines:
        build_places(environment, [(contract.dataset, day) for day in partitions], tags=TAGS, on_progress=lines)


def _check(contracts: Iterable[Contract], environment: Environment, *, as_json: bool) -> None:
    missing = [(item.dataset, file) for item in contracts for file in environment.upkeep.tables.missing(item.dataset)]
    if as_json:
        print_json([{"dataset": dataset, "partition": file.partition, "file": file.key} for dataset, file in missing])
    else:
        for dataset, file in missing:
            say(f"{dataset} {file.partition}: {file.key} is gone, or another file now", style="red")
        if not missing:
            say("Every published file is there.", style="green")
    if missing:
        warn("Build them anew from what landed: sluice maintain")
        raise typer.Exit(ExitCode.FAILED)


def _show_plans(plans: Sequence[Plan], *, as_json: bool) -> None:
    from sluice.maintenance.plan import explain

    if as_json:
        print_json([_row(plan) for plan in plans])
        return
    _say({plan.dataset: tuple(explain(plan)) for plan in plans})
    say("Nothing was changed.")


def _say(lines: Mapping[str, Sequence[str]]) -> None:
    for dataset, told in lines.items():
        for line in told or ("nothing to do",):
            say(f"{dataset}: {line}")


def _row(plan: Plan) -> Mapping[str, object]:
    return {
        "dataset": plan.dataset,
        "missing": [file.key for file in plan.missing],
        "compact_files": sum(len(merge.files) for merge in plan.merges),
        "compact_bytes": sum(merge.size_bytes for merge in plan.merges),
        "compact_into": len(plan.merges),
        "forget_snapshots": len(plan.expired),
        "keep_snapshots": plan.kept,
        "withdraw": [file.key for file in plan.sweep.withdrawn],
        "remove": [file.key for file in plan.sweep.removed],
        "condemned_files": len(plan.sweep.condemned),
        "condemned_bytes": plan.sweep.condemned_bytes,
    }
