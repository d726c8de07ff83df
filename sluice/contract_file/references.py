"""The reference data that a contract names, and whether those datasets are declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract_file.gate_settings import ReferenceSettings, validated
from sluice.contract_file.place import Place
from sluice.errors import did_you_mean
from sluice.gate_rules import Reference

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from sluice.contract import Contract

GATE, FIELD = "reference_data_is_current", "references"
_BELOW_PROPERTY = ("value", "gates", GATE, FIELD)


def read_references(value: object, place: Place, dataset: str) -> tuple[Reference, ...]:
    """Return them as written; whether they are declared is known when all contracts are read."""
    if not isinstance(value, list) or not value:
        place.refuse("names no reference data.", "Write a list such as [{dataset: customers, max_age_days: 1}].")
        return ()
    read: list[Reference] = []
    for index, item in enumerate(value):
        here = place[index]
        settings = validated(ReferenceSettings, item, here)
        if settings is None:
            continue
        if settings.dataset == dataset:
            here["dataset"].refuse("is the dataset itself.", "Name another dataset, or remove this entry.")
        if any(settings.dataset == other.dataset for other in read):
            here["dataset"].refuse(f"names {settings.dataset} a second time.", "Remove one of the two entries.")
        read.append(Reference(settings.dataset, settings.max_age_days))
    return tuple(read)


def refuse_undeclared(contract: Contract, file: Place, declared: AbstractSet[str]) -> None:
    """Refuse references to datasets that no contract declares; `file` is the place of the whole file."""
    for index, reference in enumerate(contract.gates.references):
        if reference.dataset not in declared:
            _written(file)[index]["dataset"].refuse(
                f'"{reference.dataset}" is no dataset.', did_you_mean(reference.dataset, declared - {contract.dataset})
            )


def _written(file: Place) -> Place:
    at = next(at for at in file.document.lines if at[:1] == ("customProperties",) and at[2:] == _BELOW_PROPERTY)
    return Place(file.document, file.problems, at)
