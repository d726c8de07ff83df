"""`sluice run`: build everything that is pending, then end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pipeline_assets.cli.border import ExitCode
from pipeline_assets.cli.breakers import open_lines
from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.logged_progress import shown_progress
from pipeline_assets.cli.output import AsJson, print_json, tell
from sluice.wording import counted

if TYPE_CHECKING:
    from pipeline_assets.cli.run_report import RunSummary

SHOWN_KEYS = 5


def run(*, as_json: AsJson = False) -> None:
    """Build everything that is pending and end when it is quiet.

    Notices what has landed, builds it and what is derived from it through the same Dagster definitions as the daemon.
    """
    environment = open_environment()
    summary = run_visibly(environment, progress_to_stderr=as_json)
    if as_json:
        print_json(
            {"dataset": item.dataset, "partition": item.partition, "effect": item.effect, "error": item.error}
            for item in summary.runs
        )
    else:
        print_summary(summary)
        for line in open_lines(environment):
            tell(line, style="yellow")
    if summary.failed or summary.held:
        raise typer.Exit(ExitCode.FAILED)


def run_visibly(environment: Environment, *, progress_to_stderr: bool = False) -> RunSummary:
    from pipeline_assets.cli.headless import run_until_quiet

    with shown_progress(environment, to_stderr=progress_to_stderr) as lines:
        return run_until_quiet(environment, on_progress=lines)


def print_summary(summary: RunSummary) -> None:
    _print_oddities(summary)
    if not summary.runs:
        tell(f"Nothing to do: nothing new in {counted(summary.seen.partitions, 'landed partition')}.", style="green")
        return
    held = f", {len(summary.held):,} held" if summary.held else ""
    tell(
        f"{counted(len(summary.runs), 'run')}: {counted(len(summary.changed), 'partition')} changed,"
        f" {len(summary.failed):,} failed{held}.",
        style="red" if summary.failed else "green",
    )


def _print_oddities(summary: RunSummary) -> None:
    if summary.killed:
        tell(f"{counted(summary.killed, 'run')} of an earlier call had been killed; marked as failed.", is_odd=True)
    if summary.seen.strays:
        tell(f"{_listed(summary.seen.strays)} match no dataset's location; they are left alone.", is_odd=True)
    if summary.seen.unsettled:
        tell(f"{_listed(summary.seen.unsettled)}: just written, or later than this clock; left for later.", is_odd=True)
    if summary.seen.outside:
        places = tuple(f"{dataset} {partition}" for dataset, partition in summary.seen.outside)
        tell(f"{_listed(places)} are before their dataset's start or after today; they wait.", is_odd=True)


def _listed(items: tuple[str, ...]) -> str:
    more = f" and {len(items) - SHOWN_KEYS:,} more" if len(items) > SHOWN_KEYS else ""
    return ", ".join(items[:SHOWN_KEYS]) + more
