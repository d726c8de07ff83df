"""Acts on messages: an event says where to look, what is there is asked of the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from sluice.arrivals import RAW_ZONE, notice_news, places_of
from sluice.events.reading import read_message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sluice.arrivals import ArrivalsLedger, RawStore
    from sluice.contract import Contract
    from sluice.events.message import Message, RunAsked, Zone


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one message: it is done with, or `reason` says why it belongs to the dead letters.

    `runs` must be with Dagster before the message is deleted.
    """

    message: Message
    runs: tuple[RunAsked, ...] = ()
    reason: str = ""
    strays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes the messages of one receipt: all are older than the first look, so each partition is looked at once."""

    contracts: Mapping[str, Contract]
    store: RawStore
    ledger: ArrivalsLedger
    zone: Zone
    now: datetime
    _looked_at: set[tuple[str, str]] = field(default_factory=set)

    def take(self, message: Message) -> Taken:
        """Notice what the message speaks of. When this returns, the ledger has it."""
        reading = read_message(message.body, self.zone)
        strays = [key for key in reading.keys if not self._look_around(key)]
        refused = {asked: self._refusal(asked) for asked in reading.runs}
        problems = (*reading.problems, *filter(None, refused.values()))
        wanted = tuple(asked for asked, refusal in refused.items() if not refusal)
        reason = f"The message {'; it '.join(problems)}." if problems else ""
        return Taken(message, wanted, reason, tuple(strays))

    def _look_around(self, key: str) -> bool:
        """Notice the partitions that a key belongs to; whether there is any, or could be."""
        found = places_of(key.removeprefix(RAW_ZONE), self.contracts.values())
        for dataset, partition in sorted(set(found.places) - self._looked_at):
            notice_news(self.contracts[dataset], partition, self.store, self.ledger, self.now)
            self._looked_at.add((dataset, partition))
        return found.is_known

    def _refusal(self, asked: RunAsked) -> str:
        contract = self.contracts.get(asked.dataset)
        if contract is None:
            return f"asks for the dataset {asked.dataset!r}, which no contract declares"
        if not _is_date(asked.partition):
            return f"asks for the partition {asked.partition!r}, which is no date as 2026-11-01"
        if not contract.start.isoformat() <= asked.partition <= self.now.date().isoformat():
            return f"asks for {asked.partition}, which is before the start of {asked.dataset} or after today"
        return ""


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
