"""An incident for what cannot be watched at all: a queue that is gone, a bucket that is forbidden."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sluice.errors import SluiceError
from sluice.healing.classify import class_of
from sluice.healing.failure import FailureClass
from sluice.healing.health import BY_ITSELF
from sluice.healing.incident import ARRIVALS, Incident

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_FOR_A_PERSON = frozenset({FailureClass.CODE, FailureClass.PERMISSION})
"""All else the next tick may heal; Dagster shows each tick that failed."""


class Ledger(Protocol):
    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]: ...
    def open_incident(self, incident: Incident) -> Incident: ...
    def resolve_incidents(self, dataset: str, partition: str, resolved_at: datetime, resolved_by: str) -> int: ...


@dataclass(slots=True)
class Watch:
    """Keeps the incident of one thing that is watched, `what`. It lives as long as the code server."""

    what: str
    _is_known_well: bool = field(default=False, init=False)  # so that an idle tick asks the ledger nothing

    @contextmanager
    def kept(self, ledger: Ledger, now: datetime) -> Iterator[None]:
        """Open the incident when the body raises what only a person can mend; the first good look resolves it."""
        try:
            yield
        except SluiceError as error:
            failure_class = class_of(error)
            if failure_class in _FOR_A_PERSON:
                self._is_known_well = False
                ledger.open_incident(self._incident(error, failure_class, now))
            raise
        if not self._is_known_well:
            if any(item.partition == self.what for item in ledger.incidents(ARRIVALS, open_only=True)):
                ledger.resolve_incidents(ARRIVALS, self.what, now, BY_ITSELF)
            self._is_known_well = True

    def _incident(self, error: SluiceError, failure_class: FailureClass, now: datetime) -> Incident:
        return Incident(0, ARRIVALS, self.what, "", failure_class, now, now, f"{error.message} {error.cure}", run_id="")
