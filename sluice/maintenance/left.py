"""What killed processes left in the folder for work in progress."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Left:
    """One entry of the folder that nobody has written to for long."""

    name: str
    size_bytes: int
