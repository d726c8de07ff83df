"""`sluice new`: look at sample files and write a contract for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.environment import open_environment
from pipeline_assets.cli.output import say
from sluice.landing import DATE_IN_NAME

if TYPE_CHECKING:
    from sluice.inference import InferredDataset


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The dataset's name: small letters, digits and underscores.")
    ],
    more: Annotated[list[Path] | None, typer.Argument(metavar="FILE", help="Further sample files.")] = None,
    *,
    samples: Annotated[list[Path], typer.Option("--from", help="A sample file; may be given several times.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing contract.")] = False,
) -> None:
    """Infer a contract from sample files and write it, ready to run."""
    from resources.dataset_folder import check_vacant, open_samples, write_dataset
    from sluice.inference import infer_contract

    _check_name(name)
    environment = open_environment()
    target = environment.new_datasets_folder / name
    # A name that another folder declares already would make every command refuse to work.
    for folder in {folder / name for folder in environment.settings.dataset_folders} - ({target} if force else set()):
        check_vacant(folder)
    inferred = infer_contract(name, open_samples([*samples, *(more or [])]))
    write_dataset(target, inferred.contract_text, inferred.sample_name, inferred.sample)
    _report(inferred, name, target, samples)


def _check_name(name: str) -> None:
    from sluice.contract_file.dataset_name import name_problem

    if problem := name_problem(name):
        raise typer.BadParameter(f"{problem.problem} {problem.cure}", param_hint="NAME")


def _report(inferred: InferredDataset, name: str, folder: Path, samples: list[Path]) -> None:
    say(f"Wrote {folder / 'contract.yaml'} and {inferred.sample_name}.")
    for note in inferred.notes:
        say(f"  - {note}")
    dated = bool(DATE_IN_NAME.search(samples[0].name))
    say("Next:")
    say(f"  review {folder / 'contract.yaml'}")
    say(f"  sluice land {name} {samples[0]}{'' if dated else ' --date YYYY-MM-DD'}")
    say("  sluice run")
    say(f'  sluice query "select * from {name} limit 10"')
