"""Whether the header of a CSV object fits its contract: columns are found by name, never by position."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sluice.contract import DriftPolicy, UnknownFields
from sluice.reading import Unreadable
from sluice.transform.shim_sql import fields_of

if TYPE_CHECKING:
    from sluice.contract import Contract


def header_fault(contract: Contract, header: tuple[str, ...]) -> Unreadable | None:
    """Return why an object with this header is quarantined whole, or None when its columns can be mapped."""
    known = {name for column in contract.columns for name in fields_of(column)}
    doubled = sorted(name for name, times in Counter(header).items() if times > 1)
    missing, unknown = missing_names(contract, header), unknown_names(contract, header)
    found = []
    if doubled:
        found.append(f"names {_listed(doubled)} twice")
    # Where drift has a policy of its own, the records are read and that policy decides.
    is_strict = contract.drift is not DriftPolicy.QUARANTINE
    if missing and is_strict:
        found.append(f"lacks the required {_listed(missing)}")
    if not known & set(header):
        found.append(f"names none of the contract's columns but {_listed(unknown)}")
    if unknown and is_strict and contract.unknown_fields is UnknownFields.REJECT:
        found.append(f"names {_listed(unknown)}, which the contract does not declare")
    if not found:
        return None
    return Unreadable(
        "header_mismatch",
        f"The header {', and '.join(found)}.",
        "Correct the file, or declare its columns in the contract.",
    )


def missing_names(contract: Contract, header: tuple[str, ...]) -> list[str]:
    """Return the required columns that the header has under no name and that no default stands for."""
    required = [column for column in contract.columns if column.required and column.shim.default is None]
    return sorted(column.name for column in required if set(header).isdisjoint(fields_of(column)))


def unknown_names(contract: Contract, header: tuple[str, ...]) -> list[str]:
    """Return the names in the header that no column has."""
    return sorted(set(header) - {name for column in contract.columns for name in fields_of(column)})


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
