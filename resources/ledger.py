"""Ports: the small store of what Dagster does not know. One SQL implementation carries all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sluice.arrivals import KnownObject, Noticed
from sluice.history import Attempt, Published

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sluice.manifest import Manifest

__all__ = ["Arrivals", "Attempt", "Attempts", "KnownObject", "Ledger", "Noticed", "Publications", "Published"]


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


class Publications(Protocol):
    """What tables hold."""

    def record(self, published: Published) -> None:
        """Replace the partition's record; recording the same again changes nothing."""

    def published(self, dataset: str, partition: str) -> Published | None:
        """Return what is recorded for one partition."""

    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]:
        """Return everything recorded, by dataset and partition."""


class Attempts(Protocol):
    """How often a version of a partition was tried."""

    def begin(self, dataset: str, partition: str, version: str, run_id: str, started_at: datetime) -> Attempt:
        """Open the attempt of a run; the same run asking again gets the same attempt."""

    def end(self, attempt: Attempt, ended_at: datetime, error: str | None) -> None:
        """Close an attempt; `error` None means success."""

    def last_attempt(self, dataset: str, partition: str) -> Attempt | None:
        """Return the newest attempt at any version of a partition."""


class Ledger(Arrivals, Publications, Attempts, Protocol):
    """All of the above in one store."""
