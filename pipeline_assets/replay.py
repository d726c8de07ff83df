"""Partitions from what they had: found in the ledger, built again, published in one commit and written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from pipeline_assets.incidents import Chronicle
from pipeline_assets.ports import Ledger
from pipeline_assets.staged_gates import StagedJudging
from sluice.arrivals import sweep_partition
from sluice.contract import CODE_VERSION
from sluice.errors import ReplayRefused, StagedFilesMissing
from sluice.replaced import replaced_key
from sluice.replaying import Return, noticed_by
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import dagster as dg

    from pipeline_assets.evidence import Witnesses
    from pipeline_assets.ports import Clock, Failures, ReplayableTables, Store
    from sluice.arrivals import Arrival, Listed, Noticed
    from sluice.contract import Contract
    from sluice.manifest import Manifest
    from sluice.outcome import Outcome
    from sluice.rewinding import Rewind

_SHOWN = 10


class ArrivalHistory(Protocol):
    """What of a ledger only a replay asks for."""

    def listing_digests(self, dataset: str) -> Mapping[str, str]: ...
    def arrivals(self, dataset: str, partition: str) -> tuple[Arrival, ...]: ...
    def manifest_at(self, dataset: str, partition: str, sequence: int) -> Manifest: ...


class ReplayLedger(Ledger, ArrivalHistory, Protocol):
    """The ledger of a step, with its past."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest manifest of a partition; unless it `is_there`, all of its files are gone from the raw zone."""

    noticed: Noticed
    is_there: bool

    @property
    def manifest(self) -> Manifest:
        return self.noticed.manifest


@dataclass(frozen=True, slots=True)
class Past:
    """One partition as it arrived: `newest` is what it has now, `then` what it had when `noticed_at` was the last news.

    `moved` has the objects that were replaced since and are kept: key -> where. `lost` are those that are not.
    """

    newest: Newest
    then: Manifest
    noticed_at: datetime
    moved: Mapping[str, str]
    lost: tuple[str, ...]

    @property
    def partition(self) -> str:
        return self.then.partition


def require_landed(contract: Contract) -> None:
    """Raise ReplayRefused for a derived dataset: what it is made from are tables."""
    if contract.source is None:
        raise ReplayRefused(
            problem=f"{contract.dataset} is derived: nothing of it arrives",
            cure="Replay its inputs; it is built again when they change.",
        )


def fetch_newest(
    contract: Contract, ledger: ReplayLedger, store: Store, clock: Clock, first: str, last: str
) -> Iterator[Newest]:
    """Yield the newest manifest of each partition of the range that ever arrived, as its files are now."""
    require_landed(contract)
    if first > last:
        raise ReplayRefused(problem=f"{first} is after {last}", cure="Swap --from and --to.")
    for partition in sorted(ledger.listing_digests(contract.dataset)):
        if first <= partition <= last:
            noticed = sweep_partition(contract, partition, store, ledger, clock.now())
            found = noticed or ledger.latest(contract.dataset, partition)
            assert found is not None  # noqa: S101  it has a digest, so it was noticed
            yield Newest(found, is_there=noticed is not None)


def fetch_past(newest: Newest, ledger: ReplayLedger, store: Store, as_of: datetime) -> Past | None:
    """Find what the partition had at that time, and where those bytes are now; None if nothing of it was known then."""
    place = newest.manifest.dataset, newest.manifest.partition
    arrival = noticed_by(as_of, ledger.arrivals(*place))
    if arrival is None:
        return None
    then = ledger.manifest_at(*place, arrival.sequence)
    present = {item.key: item.etag for item in newest.manifest.objects if newest.is_there}
    changed = [item for item in then.objects if present.get(item.key) != item.etag]
    kept = {item.key: replaced_key(item.key, item.etag) for item in changed}
    moved = {item.key: kept[item.key] for item in changed if store.etag(kept[item.key]) == item.etag}
    return Past(newest, then, arrival.noticed_at, moved, tuple(item.key for item in changed if item.key not in moved))


def version_then(contract: Contract, past: Past) -> Version:
    return Version(past.then.fingerprint, contract.fingerprint, CODE_VERSION)


def is_staged(contract: Contract, past: Past, store: Store) -> bool:
    """Whether it was built before under this contract: equal versions are equal rows, so its objects are not needed."""
    from pipeline_assets.staging import fetch_outcome

    try:
        fetch_outcome(store, contract.dataset, past.partition, version_then(contract, past))
    except StagedFilesMissing:
        return False
    return True


def require_objects(contract: Contract, pasts: Sequence[Past], store: Store) -> None:
    """Raise ReplayRefused, which names them, when bytes are needed that are nowhere any more."""
    lost = [key for past in pasts if past.lost and not is_staged(contract, past, store) for key in past.lost]
    if lost:
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        raise ReplayRefused(
            problem=f"objects are no longer what they were then: {', '.join(lost[:_SHOWN])}{more}",
            cure="Restore them from a backup (sluice land --replace keeps what it replaces), or name another time.",
        )


@dataclass(frozen=True, slots=True)
class PastStore:
    """A store in which replaced objects are where they were."""

    store: Store
    moved: Mapping[str, str]

    def list(self, prefix: str) -> Iterator[Listed]:
        return self.store.list(prefix)

    def etag(self, key: str, *, stamp: str | None = None) -> str | None:
        return self.store.etag(self.moved.get(key, key), stamp=stamp)

    def open(self, key: str, *, etag: str | None = None) -> BinaryIO:
        return self.store.open(self.moved.get(key, key), etag=etag)

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:
        return self.store.put(key, source, only_if_absent=only_if_absent)

    def uri(self, key: str) -> str:
        return self.store.uri(self.moved.get(key, key))


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants to see which time, and why."""

    as_of: datetime
    why: str
    by: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Replay:
    """Builds and publishes what was, with the ports of one invocation."""

    contract: Contract
    ports: Witnesses
    tables: ReplayableTables
    failures: Failures
    instance: dg.DagsterInstance

    def publish(self, pasts: Sequence[Past], asked: Asked, downstream: tuple[str, ...]) -> Rewind:
        """Stage all, judge all, then show all in one commit, and let the records follow.

        Raises ReplayRefused for lost objects, GateClosed for what may not be shown. Repeating it changes nothing, or
        mends what a kill left.
        """
        from pipeline_assets.rewind_record import Reason, RewindRecord

        require_objects(self.contract, pasts, self.ports.store)
        outcomes = [self._stage(past, asked) for past in pasts]
        for outcome in outcomes:
            self._judge(outcome, asked)
        returns = [
            Return(outcome, self._version(past.newest.manifest), past.newest.noticed.sequence)
            for past, outcome in zip(pasts, outcomes, strict=True)
        ]
        done = self.tables.replay(self.contract, returns, as_of=asked.as_of, why=asked.why, replayed_by=asked.by)
        told = f"built again from its objects as of {asked.as_of.isoformat()}{': ' if asked.why else ''}{asked.why}"
        record = RewindRecord(self.contract, self.ports, self.instance)
        record.write(done, {item.partition: item for item in outcomes}, Reason(told, asked.by, downstream))
        return done

    def _stage(self, past: Past, asked: Asked) -> Outcome:
        from pipeline_assets.staging import build_partition

        return build_partition(
            contract=self.contract,
            manifest=past.then,
            store=PastStore(self.ports.store, past.moved),
            scratch=self.ports.settings.scratch,
            run_id=asked.run_id,
            clock=self.ports.clock,
        )

    def _judge(self, outcome: Outcome, asked: Asked) -> None:
        ledger, clock = self.ports.ledger, self.ports.clock
        chronicle = Chronicle(self.contract, outcome.partition, asked.run_id, ledger, clock, self.failures)
        StagedJudging(self.contract, self.ports, chronicle).require(outcome, asked.run_id)

    def _version(self, manifest: Manifest) -> Version:
        return Version(manifest.fingerprint, self.contract.fingerprint, CODE_VERSION)
