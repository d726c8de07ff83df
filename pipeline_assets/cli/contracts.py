"""`sluice contracts`: check contract files before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.border import ExitCode
from pipeline_assets.cli.environment import open_environment
from pipeline_assets.cli.output import AsJson, print_json, say
from sluice.wording import counted

if TYPE_CHECKING:
    from sluice.contract import Contract
    from sluice.errors import ContractInvalid, TransformInvalid

app = typer.Typer(help="Check contract files.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Check contract files."""


@app.command()
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", exists=True, help="Contracts, dataset folders, folders of those. Default: all."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Read contracts and print everything that is wrong with them."""
    environment = open_environment()
    folders = environment.settings.dataset_folders
    asked = [path.resolve() for path in paths or folders]
    problems = [item for item in _problems([*folders, *_further(asked, folders)]) if _concerns(item, asked)]
    if as_json:
        print_json(problems)
    else:
        for item in problems:
            say(f"{_place(item, environment.here)}: {item['field']}: {item['problem']} {item['cure']}")
        say(
            counted(len(problems), "problem") if problems else "Contracts are right.",
            style="red" if problems else "green",
        )
    raise typer.Exit(ExitCode.CONTRACT if problems else ExitCode.DONE)


def _problems(folders: Sequence[Path]) -> list[dict[str, object]]:
    from resources.contract_folders import fetch_contracts
    from sluice.errors import ContractProblems

    try:
        contracts = fetch_contracts(folders)
    except ContractProblems as error:
        return [_of_contract(item) for item in error.problems]
    return _transform_problems(contracts)


def _transform_problems(contracts: Mapping[str, Contract]) -> list[dict[str, object]]:
    from sluice.derivation import in_build_order
    from sluice.errors import TransformInvalid

    try:
        in_build_order(contracts)
    except TransformInvalid as error:
        return [_of_transform(error)]
    return []


def _of_contract(item: ContractInvalid) -> dict[str, object]:
    return {"path": item.path, "line": item.line, "field": item.field, "problem": item.problem, "cure": item.cure}


def _of_transform(item: TransformInvalid) -> dict[str, object]:
    return {"path": item.path, "line": None, "field": "SQL", "problem": item.problem, "cure": item.cure}


def _place(item: Mapping[str, object], here: Path) -> str:
    """A path below the working directory is shown from there, so that editors and people find it."""
    path = Path(str(item["path"])).resolve()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return f"{shown}:{item['line']}" if item["line"] else f"{shown}"


def _further(asked: Sequence[Path], folders: Sequence[Path]) -> list[Path]:
    """Return the folders of datasets that hold what was asked for and are not configured."""
    known = {folder.resolve() for folder in folders}
    holding = dict.fromkeys(_folder_of_datasets(path) for path in asked)
    return [folder for folder in holding if folder not in known]


def _folder_of_datasets(path: Path) -> Path:
    if path.is_file():
        return path.parent.parent
    return path.parent if (path / "contract.yaml").exists() else path


def _concerns(item: Mapping[str, object], asked: Sequence[Path]) -> bool:
    place = Path(str(item["path"])).resolve()
    return any(place.is_relative_to(path if path.is_dir() else path.parent) for path in asked)
