"""Whether one partition was published in time, as a state and as a verdict."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sluice.freshness.promise import Freshness, deadline_of, is_promised
from sluice.freshness.wording import instant_text, percent_text, span_text
from sluice.gates.verdict import Verdict

if TYPE_CHECKING:
    from datetime import datetime

CHECK_NAME = "partition_is_on_time"


class Timeliness(StrEnum):
    NOT_YET_DUE = "not yet due"
    ON_TIME = "on time"
    LATE = "late"  # published after the deadline
    BREACHED = "breached"  # the deadline has passed, nothing is published


def timeliness(deadline: datetime, published_at: datetime | None, now: datetime) -> Timeliness:
    """Judge by the first publication of any version: a correction does not make a partition late."""
    if published_at is not None:
        return Timeliness.ON_TIME if published_at <= deadline else Timeliness.LATE
    return Timeliness.BREACHED if now > deadline else Timeliness.NOT_YET_DUE


def publication_verdict(freshness: Freshness, partition: str, published_at: datetime) -> Verdict:
    """Judge a partition that was first published at that instant."""
    if not is_promised(freshness, partition):
        return Verdict(holds=True, explanation=f"Nothing is promised for {partition}.", numbers={})
    deadline = deadline_of(freshness, partition)
    spare = deadline - published_at
    distance = f"{span_text(abs(spare))} {'before' if spare >= timedelta(0) else 'after'}"
    return _verdict(
        freshness,
        deadline,
        spare,
        explanation=f"Published at {instant_text(published_at)}, {distance} its deadline {instant_text(deadline)}.",
        facts={"published_at": instant_text(published_at)},
    )


def breach_verdict(freshness: Freshness, partition: str, now: datetime) -> Verdict:
    """Judge a partition of which nothing is published yet, after its deadline."""
    deadline = deadline_of(freshness, partition)
    return _verdict(
        freshness,
        deadline,
        deadline - now,
        explanation=f"Nothing is published {span_text(now - deadline)} after the deadline {instant_text(deadline)}.",
        facts={},
    )


def stand_in_verdict(freshness: Freshness, partition: str, now: datetime) -> Verdict:
    """Judge a partition that shows a stand-in: until its own data come, nothing is published of it."""
    if not is_promised(freshness, partition):
        return Verdict(holds=True, explanation=f"Nothing is promised for {partition}.", numbers={})
    if now > deadline_of(freshness, partition):
        return breach_verdict(freshness, partition, now)
    deadline = deadline_of(freshness, partition)
    explanation = f"What is shown stands in; its own data are due by {instant_text(deadline)}."
    return _verdict(freshness, deadline, deadline - now, explanation=explanation, facts={})


def _verdict(
    freshness: Freshness, deadline: datetime, spare: timedelta, *, explanation: str, facts: dict[str, str]
) -> Verdict:
    seconds = spare.total_seconds()
    return Verdict(
        holds=seconds >= 0,
        explanation=explanation,
        numbers={"seconds_late": max(0.0, -seconds), "seconds_to_spare": max(0.0, seconds)},
        threshold=f"by {freshness.text}",
        origin="contract",
        facts={"deadline": instant_text(deadline), "objective": percent_text(freshness.objective), **facts},
    )
