"""Port: the queue that events come by, and its dead letters. The one here is in memory, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from sluice.events.message import DeadLetter, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resources.clock import Clock

HIDDEN = timedelta(minutes=2)
"""How long a message that was received is kept from others; well above what one receipt takes to be dealt with."""


class EventQueue(Protocol):
    """Delivers each message at least once, in any order."""

    def receive(self) -> tuple[Message, ...]:
        """Return some that nobody else is dealing with, at most ten; none does not mean that there are none."""

    def delete(self, receipts: Sequence[str]) -> None:
        """Forget messages; those that are gone already count as forgotten."""

    def reject(self, message: Message, reason: str) -> None:
        """Put a message with its reason to the dead letters; killed in between, it is there and here."""

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """Return what was put aside, oldest first, and leave it there."""

    def put_back(self, letter: DeadLetter) -> None:
        """Send a dead letter once more, as it came; killed in between, it is there and here."""


@dataclass(slots=True)
class _Held:
    message: Message
    hidden_until: float = 0.0


@dataclass
class MemoryQueue:
    clock: Clock
    hidden: timedelta = HIDDEN
    _held: list[_Held] = field(default_factory=list)
    _letters: list[DeadLetter] = field(default_factory=list)

    def send(self, body: str) -> None:
        self._held.append(_Held(Message(str(uuid4()), body, "")))

    def receive(self) -> tuple[Message, ...]:
        now = self.clock.now().timestamp()
        given = [item for item in self._held if item.hidden_until <= now][:10]
        for item in given:
            item.hidden_until = now + self.hidden.total_seconds()
            item.message = Message(item.message.id, item.message.body, str(uuid4()))
        return tuple(item.message for item in given)

    def delete(self, receipts: Sequence[str]) -> None:
        self._held = [item for item in self._held if item.message.receipt not in receipts]

    def reject(self, message: Message, reason: str) -> None:
        self._letters.append(DeadLetter(str(uuid4()), message.body, reason, self.clock.now(), str(uuid4())))
        self.delete([message.receipt])

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        return tuple(self._letters)

    def put_back(self, letter: DeadLetter) -> None:
        self.send(letter.body)
        self._letters.remove(letter)
