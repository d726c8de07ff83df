"""Whether a notice was delivered, and if not, why as far as one may say it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivery:
    """True when every receiver took it. `problem` never holds a secret: most receivers' words are not repeated."""

    is_done: bool
    problem: str = ""

    def __bool__(self) -> bool:
        return self.is_done


DELIVERED = Delivery(is_done=True)
