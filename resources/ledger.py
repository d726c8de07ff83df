"""Ports: the small store of what Dagster does not know. Each implementation carries all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sluice.arrivals import Arrival, KnownObject, Noticed
from sluice.history import Attempt, Published

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from sluice.acceptance import Acceptance
    from sluice.backfill.progress import Backfill, Stage
    from sluice.contract_text import ContractText
    from sluice.cost.budget import Funding, Limits, Request, Spend, SpendState, Spent
    from sluice.gates.evidence import History
    from sluice.healing.failure import FailureClass
    from sluice.healing.incident import Incident, RemedyTaken
    from sluice.judged import Judged
    from sluice.manifest import Manifest

__all__ = [
    "Acceptances",
    "Arrival",
    "Arrivals",
    "Attempt",
    "Attempts",
    "Backfills",
    "ContractTexts",
    "Incidents",
    "KnownObject",
    "Ledger",
    "Measurements",
    "Noticed",
    "Publications",
    "Published",
    "Spending",
    "SpendingHistory",
    "Verdicts",
]


class Arrivals(Protocol):
    """What has landed, as noticed so far."""

    def listing_digests(self, dataset: str) -> Mapping[str, str]:
        """Return partition -> digest of its listing when it was last noticed: the cheap test for news."""

    def known_objects(self, dataset: str, partition: str) -> tuple[KnownObject, ...]:
        """Return the objects of a partition as last noticed."""

    def notice(
        self, manifest: Manifest, objects: tuple[KnownObject, ...], listing_digest: str, noticed_at: datetime
    ) -> Noticed:
        """Record a partition's present objects in one transaction.

        A manifest whose fingerprint equals the partition's latest keeps that one's sequence; any other gets the next.
        """

    def latest(self, dataset: str, partition: str) -> Noticed | None:
        """Return the newest manifest of a partition."""

    def noticed_after(self, sequence: int) -> tuple[Noticed, ...]:
        """Return the newest manifest of every partition that has one above `sequence`, in order of sequence."""

    def arrivals(self, dataset: str, partition: str) -> tuple[Arrival, ...]:
        """Return every manifest that a partition had, oldest first; the last is `latest`.

        A ledger of before version 6 begins with the one that it had when it was upgraded.
        """

    def manifest_at(self, dataset: str, partition: str, sequence: int) -> Manifest:
        """Return the manifest of one of its `arrivals`."""


class Publications(Protocol):
    """What tables hold."""

    def record(self, published: Published) -> None:
        """Replace the partition's record; recording the same again changes nothing.

        The first record of a partition's own data also fixes when it was first published.
        """

    def record_stand_in(self, published: Published) -> bool:
        """Record what stands in, unless own data are recorded, which a slow writer must not hide; say whether."""

    def amend(self, before: Published, after: Published) -> bool:
        """Put `after` in the place of `before`; False, and no change, when something else is recorded by now."""

    def published(self, dataset: str, partition: str) -> Published | None:
        """Return what is recorded for one partition."""

    def published_under_others(self, dataset: str, contract: str) -> tuple[Published, ...]:
        """Return what was built under another contract fingerprint than `contract`, by partition."""

    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]:
        """Return everything recorded, by dataset and partition."""

    def first_published(self, dataset: str) -> Mapping[str, datetime]:
        """Return partition -> when any version of its own data was first published: a stand-in is not in time."""


class Attempts(Protocol):
    """How often a version of a partition was tried."""

    def begin(self, dataset: str, partition: str, version: str, run_id: str, started_at: datetime) -> Attempt:
        """Open the attempt of a run; the same run asking again gets the same attempt."""

    def end(
        self,
        attempt: Attempt,
        ended_at: datetime,
        error: str | None,
        failure_class: FailureClass | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        """Close an attempt; `error` None means success. `retry_after` is what the other side asked to wait."""

    def last_attempt(self, dataset: str, partition: str) -> Attempt | None:
        """Return the newest attempt at any version of a partition."""

    def attempts(self, dataset: str, partition: str, version: str) -> tuple[Attempt, ...]:
        """Return the attempts at one version of a partition, oldest first."""

    def open_attempts(self) -> tuple[Attempt, ...]:
        """Return the attempts without an end, oldest first."""

    def ended_attempts(
        self, most: int, *, dataset: str | None = None, failure_class: FailureClass | None = None
    ) -> tuple[Attempt, ...]:
        """Return the `most` attempts that ended last, the newest end first; of one dataset or of all.

        With a `failure_class` only those that succeeded or failed with it.
        """

    def failed_attempts(self) -> tuple[Attempt, ...]:
        """Return the newest attempt of each partition, by dataset and partition, where it ended with an error.

        One at a version that is published is left out: the error came after the version had been published.
        """


class Verdicts(Protocol):
    """What gates said of the version of each partition that was judged last."""

    def record_verdicts(self, judged: Sequence[Judged]) -> None:
        """Replace the verdicts of these gates; all are of one version, and those of its other versions are dropped."""

    def verdicts(self, dataset: str, partition: str) -> tuple[Judged, ...]:
        """Return the recorded verdicts of a partition, by gate name."""

    def blocking_verdicts(self) -> tuple[Judged, ...]:
        """Return every verdict that blocks and whose version is not the published one, by dataset and partition."""

    def judged_by(self, dataset: str, rules: str) -> frozenset[tuple[str, str]]:
        """Return (partition, version) of all that a gate has judged by these rules."""


class Acceptances(Protocol):
    """What people accepted in spite of a gate."""

    def accept(self, judged: Judged, *, why: str, accepted_by: str, accepted_at: datetime) -> Acceptance:
        """Record it; accepting the same gate, partition and fingerprint again returns the first acceptance."""

    def acceptances(self, dataset: str | None = None) -> tuple[Acceptance, ...]:
        """Return acceptances in the order they were given."""


class Measurements(Protocol):
    """Metrics of published partitions: what learned limits are learned from."""

    def record_metrics(self, dataset: str, partition: str, metrics: Mapping[str, float]) -> None:
        """Replace all metrics of a partition by these."""

    def history(self, dataset: str, before: str, partitions: int) -> Mapping[str, History]:
        """Return the metrics of the newest `partitions` partitions before a partition, each by date."""


class Spending(Protocol):
    """Money: reserved before, settled after. All amounts are US dollars."""

    def reserve(self, request: Request, limits: Limits, reserved_at: datetime, *, regardless: bool = False) -> Funding:
        """Reserve the estimate if no limit is exceeded by it, in one transaction that races fairly with others.

        What counts against the monthly limit is everything settled or reserved for the dataset in that month; against
        the healing limit, the same of purpose healing. The run's earlier entry for the partition, if it has one, is
        granted again as it stands while it is reserved, and replaced when it was settled with cost 0.
        `regardless` grants whatever the limits say.
        """

    def settle(self, request: Request, state: SpendState, *, seconds: float, usd: float, settled_at: datetime) -> None:
        """End a reservation with what it really took; an entry that is settled already stays as it is."""

    def conclude(self, dataset: str, partition: str, version: str) -> None:
        """Turn the built entries of a version into published ones."""

    def open_spends(self) -> tuple[Spend, ...]:
        """Return the reservations that nobody has settled, oldest first."""

    def spends(self, dataset: str | None = None, month: str | None = None) -> tuple[Spend, ...]:
        """Return all entries, oldest first."""


class SpendingHistory(Protocol):
    """What is learned from earlier spending, without reading all of it: every run asks."""

    def builds(self, dataset: str, most: int) -> tuple[Spend, ...]:
        """Return the newest entries that were built or published and took time, at most so many, oldest first."""

    def spent_by_month(self, dataset: str) -> tuple[Spent, ...]:
        """Return what each month came to for each purpose, reserved money included, oldest first."""


class Incidents(Protocol):
    """What went wrong, and what was done about it."""

    def open_incident(self, incident: Incident) -> Incident:
        """Record it under a new number; a partition's open incident of the same class is updated and returned instead.

        Then evidence, version, run and downstream are the new ones; number, times and remedies stay.
        """

    def note_remedy(self, number: int, remedy: RemedyTaken) -> None:
        """Add a remedy; one of the same kind and run is there once.

        Noting that one again only fills in a cost that was not known; no run counts as a run.
        Raises ValueError where no incident has the number.
        """

    def resolve_incidents(
        self,
        dataset: str,
        partition: str,
        resolved_at: datetime,
        resolved_by: str,
        *,
        keep: FailureClass | None = None,
    ) -> int:
        """Close the partition's open incidents, but none of the class `keep`; return how many were closed."""

    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]:
        """Return incidents by number."""

    def first_notice(self, key: str, noticed_at: datetime) -> bool:
        """Whether this key is new; it is remembered, so that of many asking exactly one is told so."""


class Backfills(Protocol):
    """Planned backfills, and where each stands."""

    def add_backfill(self, backfill: Backfill) -> None:
        """Record a new plan."""

    def backfill(self, plan_id: str) -> Backfill | None:
        """Return the plan of that id."""

    def backfills(self, stage: Stage | None = None) -> tuple[Backfill, ...]:
        """Return plans in the order in which they were made, all or those at a stage."""

    def change_backfill(
        self, plan_id: str, expected: Stage, stage: Stage, changed_at: datetime, *, note: str = ""
    ) -> bool:
        """Move a plan on; False, and nothing is changed, when it is not where it was `expected` to be.

        The first time it runs is when it was started.
        """

    def stage_of_backfill(self, plan_id: str) -> Stage | None:
        """Return where a plan stands; runs ask between two partitions, so this costs little."""


class ContractTexts(Protocol):
    """Contracts as they were when something was built under them."""

    def keep_contract(self, text: ContractText) -> None:
        """Remember it, unless the dataset's newest says the same."""

    def contract_texts(self, dataset: str) -> tuple[ContractText, ...]:
        """Return what was kept, oldest first; one that came back is there twice."""


class Ledger(
    Arrivals,
    Publications,
    Attempts,
    Verdicts,
    Acceptances,
    Measurements,
    Spending,
    SpendingHistory,
    Incidents,
    Backfills,
    ContractTexts,
    Protocol,
):
    """All of the above in one store."""
