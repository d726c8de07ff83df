"""Looks at every variable that refers to a value in AWS: is the value there, may it be read. It is never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.reference import SETTINGS
from sluice.checked import Checked, advice, broken, good
from sluice.errors import CredentialsInvalid, SettingInvalid, UnresolvedReference
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.variables import Variables


def check_references(variables: Variables) -> Iterator[Checked]:
    try:
        references, below = variables.references, variables.count_below
    except (CredentialsInvalid, SettingInvalid, UnresolvedReference) as error:
        yield broken("references", error.message, error.cure)
        return
    if below:
        yield good(SETTINGS, f"{variables[SETTINGS]}, {counted(below, 'parameter')}")
    for name, reference in sorted(references.items()):
        try:
            yield _judged(name, str(reference), is_empty=not variables[name])
        except (CredentialsInvalid, SettingInvalid, UnresolvedReference) as error:
            yield broken(name, error.message, error.cure)


def _judged(name: str, reference: str, *, is_empty: bool) -> Checked:
    if is_empty:
        return advice(name, f"{reference} is empty, which counts as not set", f"Give it a value, or unset {name}.")
    return good(name, f"{reference} can be read")
