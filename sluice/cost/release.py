"""Gives back what runs had reserved that are over and did not settle it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sluice.cost.budget import SpendState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sluice.cost.budget import Request, Spend


class Ledger(Protocol):
    def open_spends(self) -> tuple[Spend, ...]: ...
    def settle(
        self, request: Request, state: SpendState, *, seconds: float, usd: float, settled_at: datetime
    ) -> None: ...


def release_ended(ledger: Ledger, was_killed: Callable[[str], bool | None], now: datetime) -> None:
    """Settle what ended runs left reserved: a killed one is charged the time it had, at most its estimate.

    `was_killed` is asked about a run's id; None says that it is still at work.
    """
    for spend in ledger.open_spends():
        killed = was_killed(spend.request.run_id)
        if killed is not None:
            share, planned = _share_used(spend, now) if killed else 0.0, spend.request.estimate
            seconds, usd = planned.seconds * share, planned.usd * share
            ledger.settle(spend.request, SpendState.KILLED, seconds=seconds, usd=usd, settled_at=now)


def _share_used(spend: Spend, now: datetime) -> float:
    elapsed = (now - spend.reserved_at).total_seconds()
    return min(1.0, elapsed / spend.request.estimate.seconds) if spend.request.estimate.seconds else 0.0
