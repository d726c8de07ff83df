"""The folders that datasets are declared in: one folder per dataset, with contract.yaml and perhaps transform.sql."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sluice.contract_file import ContractFile, read_contracts
from sluice.errors import ContractInvalid, ContractProblems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sluice.contract import Contract

CONTRACT_NAME = "contract.yaml"
TRANSFORM_NAME = "transform.sql"


def fetch_contracts(folders: Sequence[Path]) -> Mapping[str, Contract]:
    """Return every contract below `folders` by dataset; raises ContractProblems, which names all that is wrong."""
    problems: list[ContractInvalid] = []
    files: list[ContractFile] = []
    for folder in folders:
        try:
            files.extend(_fetch_folder(folder, problems))
        except OSError as error:
            cure = "Create the folder, or correct the list of dataset folders (SLUICE_DATASETS)."
            problems.append(_problem(folder, f"cannot be listed ({error.strerror}).", cure))
    contracts: Mapping[str, Contract] = {}
    try:
        contracts = read_contracts(files)
    except ContractProblems as error:
        problems.extend(error.problems)
    problems.extend(_misplaced(contracts))
    if problems:
        raise ContractProblems(tuple(problems))
    return contracts


def _fetch_folder(folder: Path, problems: list[ContractInvalid]) -> list[ContractFile]:
    """Return the files of each dataset's folder; names that begin with `.` or `_` are none."""
    files = []
    for dataset_folder in sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._"):
        try:
            files.append(_fetch_file(dataset_folder))
        except FileNotFoundError:
            cure = f"Write one (sluice new makes it from a sample), or remove the folder {dataset_folder.name}."
            problems.append(_problem(dataset_folder / CONTRACT_NAME, "is missing.", cure))
        except (OSError, UnicodeError) as error:
            cure = "Make the file readable; it is UTF-8 text."
            problems.append(_problem(dataset_folder, f"holds a file that cannot be read ({error}).", cure))
    return files


def _fetch_file(dataset_folder: Path) -> ContractFile:
    contract, transform = dataset_folder / CONTRACT_NAME, dataset_folder / TRANSFORM_NAME
    text = contract.read_text(encoding="utf-8")
    return ContractFile(str(contract), text, transform.read_text(encoding="utf-8") if transform.exists() else None)


def _misplaced(contracts: Mapping[str, Contract]) -> list[ContractInvalid]:
    """People look a dataset up by its folder, so both have one name."""
    return [
        _problem(
            Path(contract.path),
            f'declares "{dataset}", but its folder is called {Path(contract.path).parent.name}.',
            f"Rename the folder to {dataset}, or change id and schema[0].name.",
        )
        for dataset, contract in contracts.items()
        if Path(contract.path).parent.name != dataset
    ]


def _problem(path: Path, problem: str, cure: str) -> ContractInvalid:
    return ContractInvalid(path=str(path), line=1, field="the file", problem=problem, cure=cure)
