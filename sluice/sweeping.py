"""Sweeps the raw zone again and again, and spares itself the sweep when nothing can have changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from sluice.arrivals import RAW_ZONE, RawStore, sweep_raw_zone

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sluice.arrivals import ArrivalsLedger, Sweep
    from sluice.contract import Contract

AT_LEAST_EVERY = timedelta(seconds=10)
"""A file that is overwritten in place, and what a file system does not tell, are seen after so long at the latest."""


class Watch(Protocol):
    def is_unchanged(self) -> bool: ...


class WatchedStore(RawStore, Protocol):
    def watch(self, prefix: str) -> Watch | None: ...


class _Told:
    """Nothing watches: whoever changes something sends an event."""

    def is_unchanged(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class _Swept:
    sweep: Sweep
    watch: Watch
    at: datetime

    def is_current(self, now: datetime, every: timedelta) -> bool:
        """A new day brings partitions into range, and what is being written must be looked at until it is done."""
        is_recent = self.at <= now < self.at + every and self.at.date() == now.date()
        return is_recent and not self.sweep.unsettled and self.watch.is_unchanged()


@dataclass(slots=True)
class Sweeper:
    """One raw zone and its last sweep. Not frozen: it is there to remember; losing that costs one sweep."""

    every: timedelta = AT_LEAST_EVERY
    told_by_events: bool = False
    _last: _Swept | None = None

    def sweep(self, contracts: Iterable[Contract], store: WatchedStore, ledger: ArrivalsLedger, now: datetime) -> Sweep:
        """Return a sweep that is as good as one made now, but for files that were overwritten in place.

        Where events tell of news, it is as good as they are.
        """
        if self._last is not None and self._last.is_current(now, self.every):
            return replace(self._last.sweep, noticed=())
        # Before the listing: what comes in between is swept again.
        watch = _Told() if self.told_by_events else store.watch(RAW_ZONE)
        sweep = sweep_raw_zone(contracts, store, ledger, now)
        self._last = None if watch is None else _Swept(sweep, watch, now)
        return sweep
