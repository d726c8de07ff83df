"""`sluice land`: copy files into the raw zone of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import say
from sluice.errors import LandingRefused

if TYPE_CHECKING:
    from sluice.landing import Landing


def land(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The dataset the files belong to.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Files to copy; they stay where they are.")],
    *,
    date: Annotated[
        str | None, typer.Option(help="The partition, YYYY-MM-DD. Default: the date in the file's name, else today.")
    ] = None,
    replace: Annotated[bool, typer.Option(help="Overwrite a landed file of the same name.")] = False,
) -> None:
    """Copy files into the landing folder of a dataset."""
    environment = open_environment()
    for file, landing in _plan(environment, dataset, files, date):
        _perform(environment, file, landing, replace=replace)
    say("Next: sluice run")


def _plan(environment: Environment, dataset: str, files: list[Path], asked: str | None) -> list[tuple[Path, Landing]]:
    """Decide on every file before the first is copied, so that a refusal leaves nothing behind."""
    from sluice.landing import plan_landing

    contract = environment.contract(dataset)
    today = environment.clock.now().date()
    landings: dict[str, tuple[Path, Landing]] = {}
    for file in files:
        _check_file(file)
        landing = plan_landing(contract, file.name, asked=asked, today=today)
        if landing.key in landings:
            raise LandingRefused(
                f"{landings[landing.key][0]} and {file} would both become {landing.key}.", cure="Rename one of them."
            )
        landings[landing.key] = file, landing
    return list(landings.values())


def _check_file(file: Path) -> None:
    if file.is_dir():
        raise LandingRefused(f"{file} is a folder.", cure=f"Name the files in it: {file}/*")
    if not file.exists():
        raise LandingRefused(f"{file} does not exist.", cure="Check the path.")


def _perform(environment: Environment, file: Path, landing: Landing, *, replace: bool) -> None:
    from resources.landing import land_file

    key = f"raw/{landing.key}"
    landed = land_file(environment.store, file, key, environment.settings.scratch, replace=replace)
    say(f"{file.name} -> {key}: {landed} (date from {landing.date_from})")
