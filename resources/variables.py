"""The environment as Sluice reads it: a reference in it counts as what AWS keeps under it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from resources.kept_values import fetch_below, fetch_value
from resources.reference import parse_reference, settings_path
from sluice.errors import SettingInvalid

if TYPE_CHECKING:
    from resources.reference import Reference


class Variables(Mapping[str, str]):
    """Fetches each value when it is first asked for, and keeps it here alone: never in the process's environment.

    Where nothing refers to anything, nothing is asked and no library is loaded.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._fetched: dict[Reference, str] = {}
        self._below: Mapping[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        """Raise KeyError; SettingInvalid, UnresolvedReference or CredentialsInvalid where a reference cannot be had."""
        value = self._written(name)
        reference = parse_reference(name, value)
        if reference is None:
            return value
        if reference not in self._fetched:
            self._fetched[reference] = fetch_value(name, reference, self._environ)
        return self._fetched[reference]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._parameters(), **self._environ})

    def __len__(self) -> int:
        return len({**self._parameters(), **self._environ})

    def __contains__(self, name: object) -> bool:
        return name in self._environ or name in self._parameters()

    @property
    def references(self) -> Mapping[str, Reference]:
        """Return what each variable refers to; those that hold plain values are left out. Raises SettingInvalid."""
        found = {name: parse_reference(name, self._written(name)) for name in self}
        return {name: reference for name, reference in found.items() if reference is not None}

    @property
    def count_below(self) -> int:
        """Return how many parameters lie below SLUICE_SETTINGS."""
        return len(self._parameters())

    def without_value(self, error: SettingInvalid) -> SettingInvalid:
        """Return the error with the place of the value where the value was not written into the environment."""
        written = self._environ.get(error.name) or ""
        if not error.value or (written and parse_reference(error.name, written) is None):
            return error
        place = written or f"{self._environ.get('SLUICE_SETTINGS', '')}{error.name}"
        return SettingInvalid(name=error.name, value=place, problem=error.problem, cure=error.cure)

    def _written(self, name: str) -> str:
        if value := self._environ.get(name):
            return value
        parameters = self._parameters()
        return parameters[name] if name in parameters else self._environ[name]

    def _parameters(self) -> Mapping[str, str]:
        if self._below is None:
            path = settings_path(self._environ)
            self._below = fetch_below(path, self._environ) if path else {}
        return self._below
