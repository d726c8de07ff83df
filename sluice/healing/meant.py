"""What a run that ended before it read anything was meant to build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sluice.version import NOT_READ

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.arrivals import Noticed
    from sluice.contract import Contract


class Ledger(Protocol):
    def latest(self, dataset: str, partition: str) -> Noticed | None: ...


def meant(contract: Contract, partition: str, asked_for: str | None, ledger: Ledger, until: datetime) -> str:
    """Return the fingerprint of what it was asked for, or of what had arrived since then, `until` it ended.

    While a run waits in the queue nobody asks for another one, for it will find the news as well. So if it does not
    come to that, the news must not be forgotten with it. NOT_READ where nobody said what was to be built.
    """
    if asked_for is None:
        return NOT_READ
    if contract.source is None or contract.source.pull is not None:
        return asked_for
    newest = ledger.latest(contract.dataset, partition)
    return newest.manifest.fingerprint if newest is not None and newest.noticed_at <= until else asked_for
