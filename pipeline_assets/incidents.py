"""Keeps attempts and incidents honest: what ends a step with an error is classified, recorded, and later resolved."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sluice.contract import CODE_VERSION
from sluice.contract_text import text_of
from sluice.errors import GateClosed, InputNotPublished, RawPartitionEmpty
from sluice.healing.health import BY_ITSELF
from sluice.healing.incident import RemedyKind, RemedyTaken
from sluice.healing.killed import end_with
from sluice.judging import closed, faults
from sluice.stand_in import open_at, shown_text
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pipeline_assets.ports import Clock, Failures, Ledger
    from sluice.acceptance import Acceptance
    from sluice.contract import Contract
    from sluice.gates.verdict import Gate
    from sluice.healing.failure import Failure, FailureClass
    from sluice.history import Attempt
    from sluice.judged import Judged
    from sluice.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Chronicle:
    """Writes down what happens to one partition in one run."""

    contract: Contract
    partition: str
    run_id: str
    ledger: Ledger
    clock: Clock
    failures: Failures

    @property
    def dataset(self) -> str:
        return self.contract.dataset

    @contextmanager
    def attempt_at(self, version: Version) -> Iterator[Attempt]:
        """Open the run's attempt, or take it up again; close it, with an incident, only when the body fails.

        A kill closes nothing: an attempt without an end whose run is over was killed.
        """
        attempt = self._begin(version)
        try:
            yield attempt
        except BaseException as error:  # Dagster's termination of a run counts as well
            self._end_with(attempt, self.failures.classify(error))
            raise

    @contextmanager
    def failing_at(self, version: Version) -> Iterator[None]:
        """Close the run's attempt, with an incident, when the body fails; gates that are asked alone are no attempt."""
        try:
            yield
        except BaseException:
            with self.attempt_at(version):
                raise

    @contextmanager
    def preparing(self, meant: Callable[[], str]) -> Iterator[None]:
        """Keep what goes wrong before an attempt begins as one that failed: only attempts are tried again.

        `meant` gives the fingerprint of what the run is to build. What gates stop is kept elsewhere, and what is not
        there yet starts the partition itself when it comes.
        """
        try:
            yield
        except (GateClosed, RawPartitionEmpty, InputNotPublished):
            raise
        except BaseException:
            last = self.ledger.last_attempt(self.dataset, self.partition)
            if last is not None and last.run_id == self.run_id:
                raise  # who was nearer has kept it, or it is found as killed
            with self.attempt_at(Version(meant(), self.contract.fingerprint, CODE_VERSION)):
                raise

    def stop(self, version: Version, stopped_by: Sequence[Judged], gates: Sequence[Gate]) -> None:
        """End the run's attempt because gates are closed; the first of them gives the class."""
        attempt = self._begin(version)
        failure = self.failures.classify(closed(stopped_by[0], gates))
        self._end_with(attempt, replace(failure, message=faults(stopped_by)))

    def note_stand_in(self, outcome: Outcome) -> None:
        """Keep with what is open on this partition that its table shows a stand-in; the partition is not right yet."""
        for incident in open_at(self.ledger.incidents(self.dataset, open_only=True), self.partition):
            remedy = RemedyTaken(RemedyKind.USE_FALLBACK, self.clock.now(), shown_text(outcome))
            self.ledger.note_remedy(incident.number, remedy)

    def reconcile(self) -> None:
        """Keep with what is open on this partition that own data have replaced its stand-in, if it had one."""
        for incident in open_at(self.ledger.incidents(self.dataset, open_only=True), self.partition):
            if any(item.kind is RemedyKind.USE_FALLBACK for item in incident.remedies):
                note = "Own data are published in place of the stand-in."
                self.ledger.note_remedy(incident.number, RemedyTaken(RemedyKind.RECONCILED, self.clock.now(), note))

    def succeed(self, attempt: Attempt, resolved_by: str, *, keep: FailureClass | None = None) -> None:
        """Close what was open on this partition, but for the class `keep`; its table holds the version asked for."""
        now = self.clock.now()
        self.ledger.resolve_incidents(self.dataset, self.partition, now, resolved_by, keep=keep)
        self.ledger.end(attempt, now, None)

    def _begin(self, version: Version) -> Attempt:
        """Begin the run's attempt, or find it begun; the contract is kept first, for whoever looks at it later."""
        now = self.clock.now()
        self.ledger.keep_contract(text_of(self.contract, now))
        return self.ledger.begin(self.dataset, self.partition, str(version), self.run_id, now)

    def _end_with(self, attempt: Attempt, failure: Failure) -> None:
        end_with(attempt, failure, self.ledger, self.clock.now(), self.contract.downstream)


def resolved_by(outcome: Outcome, acceptances: Iterable[Acceptance]) -> str:
    """Name the person who accepted this version; what nobody had to accept was resolved without one."""
    place = (outcome.dataset, outcome.partition, outcome.fingerprint)
    people = [item.accepted_by for item in acceptances if (item.dataset, item.partition, item.fingerprint) == place]
    return people[-1] if people else BY_ITSELF
