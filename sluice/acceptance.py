"""A person's word that a partition is right although a gate does not hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Holds for one gate and the data of one `fingerprint`: other data under the same date is judged anew.

    `numbers` are those of the verdict that was accepted; a learned gate takes them as the new level.
    """

    number: int
    dataset: str
    partition: str
    gate: str
    fingerprint: str
    numbers: Mapping[str, int | float] = field(default_factory=dict)
    why: str = ""
    accepted_by: str = ""
    accepted_at: datetime | None = None
