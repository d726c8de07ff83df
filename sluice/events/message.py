"""What came out of a queue, and what was understood of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was received; `receipt` is what it is deleted by. It may come any number of times."""

    id: str
    body: str
    receipt: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was put aside. `reason` is empty where the queue itself did, after too many receipts."""

    id: str
    body: str
    reason: str
    sent_at: datetime
    receipt: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Zone:
    """The place in S3 that is watched; `prefix` is empty or ends with `/`. Keys of the store begin after it."""

    bucket: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """What events tell of, and how often a listing finds what they missed."""

    zone: Zone
    listing_every: timedelta


@dataclass(frozen=True, slots=True)
class RunAsked:
    """Somebody asks for a run by an event; `id` is the event's own, the same however often it is delivered."""

    id: str
    dataset: str
    partition: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What one message says: keys of the store that were written, runs that are wanted, what nobody understands.

    A message may be understood in part. All of it empty means: understood, and nothing to do.
    """

    keys: tuple[str, ...] = ()
    runs: tuple[RunAsked, ...] = ()
    problems: tuple[str, ...] = ()
