"""A place in a contract file, and the list of everything that is wrong with that file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.contract_file.document import field_name
from sluice.errors import ContractInvalid

if TYPE_CHECKING:
    from sluice.contract_file.document import Document, Path, Step


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a value, before it is known where the value is written."""

    problem: str
    cure: str


@dataclass(frozen=True, slots=True)
class Place:
    """Readers walk the file by `place["servers"][0]` and refuse where they stand.

    All places of one file share its `problems`.
    """

    document: Document
    problems: list[ContractInvalid]
    at: Path = ()

    def __getitem__(self, step: Step) -> Place:
        return Place(self.document, self.problems, (*self.at, step))

    @property
    def line(self) -> int:
        return self.document.line_of(self.at)

    def refuse(self, problem: str, cure: str) -> None:
        """Note that what is written here cannot be used."""
        self.problems.append(
            ContractInvalid(
                path=self.document.path, line=self.line, field=field_name(self.at), problem=problem, cure=cure
            )
        )
