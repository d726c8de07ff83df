"""A chunk: many small partitions of one dataset that one run builds, one after the other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sluice.backfill.plan import Target

CHUNK_TAG = "sluice/chunk"
"""A run with this tag builds the partitions that `read_chunk` finds in its value."""

PLAN_TAG = "sluice/backfill"
"""The plan that a run belongs to."""

_DAY = timedelta(days=1)


class Chunking(BaseModel):
    """How much one run builds at most; without a bound on `seconds` and `bytes_in` the number alone counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partitions: int = 1
    seconds: float | None = None
    bytes_in: int | None = None

    def has_room(self, chunk: Sequence[Target], target: Target) -> bool:
        """Whether one more target may join; a target that is too large by itself is a chunk of its own."""
        together = (*chunk, target)
        return (
            len(together) <= self.partitions
            and (self.seconds is None or sum(item.seconds for item in together) <= self.seconds)
            and (self.bytes_in is None or sum(item.bytes_in for item in together) <= self.bytes_in)
        )


USUAL = Chunking(partitions=100, seconds=300.0, bytes_in=1_000_000_000)
"""What a kill throws away is one partition; a chunk is bounded so that others get their turn, and a pause is soon."""


def chunked(targets: Iterable[Target], chunking: Chunking) -> tuple[tuple[Target, ...], ...]:
    """Return what one run each builds: neighbours in the order of the plan, each chunk of one dataset."""
    chunks: list[list[Target]] = []
    filling: dict[str, list[Target]] = {}
    for target in targets:
        chunk = filling.get(target.dataset)
        if chunk is None or not chunking.has_room(chunk, target):
            chunk = filling[target.dataset] = []
            chunks.append(chunk)
        chunk.append(target)
    return tuple(tuple(chunk) for chunk in chunks)


def chunk_text(partitions: Iterable[str]) -> str:
    """Return dates as a tag's value holds them: `2026-11-01..2026-11-30 2026-12-24`."""
    spans: list[tuple[date, date]] = []
    for day in sorted({date.fromisoformat(item) for item in partitions}):
        if spans and day - spans[-1][1] == _DAY:
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return " ".join(str(first) if first == last else f"{first}..{last}" for first, last in spans)


def read_chunk(text: str) -> tuple[str, ...]:
    """Return the dates of `chunk_text`, the newest first, as a plan builds them; raises ValueError."""
    days: set[date] = set()
    for span in text.split():
        first, *last = span.split("..")
        begin, end = date.fromisoformat(first), date.fromisoformat("..".join(last) if last else first)
        days.update(begin + number * _DAY for number in range((end - begin).days + 1))
    return tuple(day.isoformat() for day in sorted(days, reverse=True))
