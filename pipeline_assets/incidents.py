"""Keeps attempts and incidents honest: what ends a step with an error is classified, recorded, and later resolved."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sluice.healing.health import BY_ITSELF
from sluice.healing.killed import end_with
from sluice.judging import closed, faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline_assets.ports import Clock, Failures, Ledger
    from sluice.acceptance import Acceptance
    from sluice.gates.verdict import Gate
    from sluice.history import Attempt
    from sluice.judged import Judged
    from sluice.outcome import Outcome
    from sluice.version import Version


@dataclass(frozen=True, slots=True)
class Chronicle:
    """Writes down what happens to one partition in one run."""

    dataset: str
    partition: str
    run_id: str
    ledger: Ledger
    clock: Clock
    failures: Failures

    @contextmanager
    def attempt_at(self, version: Version) -> Iterator[Attempt]:
        """Open the run's attempt, or take it up again; close it, with an incident, only when the body fails.

        A kill closes nothing: an attempt without an end whose run is over was killed.
        """
        attempt = self.ledger.begin(self.dataset, self.partition, str(version), self.run_id, self.clock.now())
        try:
            yield attempt
        except BaseException as error:  # Dagster's termination of a run counts as well
            end_with(attempt, self.failures.classify(error), self.ledger, self.clock.now())
            raise

    def stop(self, version: Version, stopped_by: Sequence[Judged], gates: Sequence[Gate]) -> None:
        """End the run's attempt because gates are closed; the first of them gives the class."""
        attempt = self.ledger.begin(self.dataset, self.partition, str(version), self.run_id, self.clock.now())
        failure = self.failures.classify(closed(stopped_by[0], gates))
        end_with(attempt, replace(failure, message=faults(stopped_by)), self.ledger, self.clock.now())

    def succeed(self, attempt: Attempt, resolved_by: str) -> None:
        """Close what was open on this partition; its table holds the version that was asked for."""
        now = self.clock.now()
        self.ledger.resolve_incidents(self.dataset, self.partition, now, resolved_by)
        self.ledger.end(attempt, now, None)


def resolved_by(outcome: Outcome, acceptances: Iterable[Acceptance]) -> str:
    """Name the person who accepted this version; what nobody had to accept was resolved without one."""
    place = (outcome.dataset, outcome.partition, outcome.fingerprint)
    people = [item.accepted_by for item in acceptances if (item.dataset, item.partition, item.fingerprint) == place]
    return people[-1] if people else BY_ITSELF
