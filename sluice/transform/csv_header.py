"""Whether the header of a CSV object fits its contract: columns are found by name, never by position."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sluice.contract import UnknownFields
from sluice.reading import Unreadable

if TYPE_CHECKING:
    from sluice.contract import Contract


def header_fault(contract: Contract, header: tuple[str, ...]) -> Unreadable | None:
    """Return why an object with this header is quarantined whole, or None when its columns can be mapped."""
    known = {column.name for column in contract.columns}
    required = {column.name for column in contract.columns if column.required}
    doubled = sorted(name for name, times in Counter(header).items() if times > 1)
    missing = sorted(required - set(header))
    unknown = sorted(set(header) - known)
    found = []
    if doubled:
        found.append(f"names {_listed(doubled)} twice")
    if missing:
        found.append(f"lacks the required {_listed(missing)}")
    if not known & set(header):
        found.append(f"names none of the contract's columns but {_listed(unknown)}")
    if unknown and contract.unknown_fields is UnknownFields.REJECT:
        found.append(f"names {_listed(unknown)}, which the contract does not declare")
    if not found:
        return None
    return Unreadable(
        "header_mismatch",
        f"The header {', and '.join(found)}.",
        "Correct the file, or declare its columns in the contract.",
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
