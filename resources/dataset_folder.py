"""The folder of a new dataset: what it is inferred from, and writing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.errors import DatasetExists, SampleRefused
from sluice.inference import SampleFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import BinaryIO

CONTRACT_NAME = "contract.yaml"


def open_samples(files: Sequence[Path]) -> tuple[SampleFile, ...]:
    """Return files as samples; raises SampleRefused when one is not a readable file."""
    for file in files:
        if not file.is_file():
            problem = "is a folder" if file.is_dir() else "does not exist"
            raise SampleRefused(f"{file} {problem}.", cure="Name a file.")
    return tuple(SampleFile(file.name, _opener(file)) for file in files)


def check_vacant(folder: Path) -> None:
    """Raise DatasetExists when the folder holds a contract already."""
    if (folder / CONTRACT_NAME).exists():
        raise DatasetExists(path=str(folder / CONTRACT_NAME))


def write_dataset(folder: Path, contract_text: str, sample_name: str, sample: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / sample_name).write_bytes(sample)
    (folder / CONTRACT_NAME).write_text(contract_text, encoding="utf-8")


def _opener(file: Path) -> Callable[[], BinaryIO]:
    return lambda: file.open("rb")
