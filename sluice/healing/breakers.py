"""All breakers that a dataset depends on, read from what the ledger knows of attempts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sluice.contract import CODE_VERSION
from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.gates.evidence import RawEvidence
from sluice.gates.verdict import Severity
from sluice.healing.breaker import breaker_of
from sluice.healing.failure import FailureClass
from sluice.judging import judge_raw, severity_of
from sluice.pulling.schedule import is_pull

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sluice.contract import Contract
    from sluice.healing.breaker import Breaker
    from sluice.history import Attempt
    from sluice.judged import Judged
    from sluice.version import Version

WAREHOUSE = "warehouse"
RAW_ZONE = "raw zone"
_LOOKED_AT = 100
"""Attempts: more than any contract may ask for, so that the wait before a probe can grow to its cap."""


class Ledger(Protocol):
    def ended_attempts(
        self, most: int, *, dataset: str | None = None, failure_class: FailureClass | None = None
    ) -> tuple[Attempt, ...]: ...


@dataclass(frozen=True, slots=True)
class Breakers:
    """The breakers as they are at `now`; what was asked once is kept, so make it anew for each tick or step."""

    contracts: Mapping[str, Contract]
    ledger: Ledger
    now: datetime
    _known: dict[str, tuple[Breaker, ...]] = field(default_factory=dict)

    def of(self, dataset: str) -> tuple[Breaker, ...]:
        """Return those of the outside systems it uses, then its own: the order in which a probe claims them.

        Each contract's own `breaker` says how patient its dataset is with a system that it shares with others.
        """
        if dataset not in self._known:
            contract = self.contracts[dataset]
            policy = contract.healing.breaker
            self._known[dataset] = (
                *(breaker_of(key, self._of_system(key, kind), policy, self.now) for key, kind in systems_of(contract)),
                breaker_of(f"dataset {dataset}", self._of_dataset(contract), policy, self.now),
            )
        return self._known[dataset]

    def holding(self, dataset: str) -> tuple[Breaker, ...]:
        """Return those that hold its partitions; none where its contract lets the gate only warn."""
        if severity_of(BREAKER_IS_CLOSED, self.contracts[dataset]) is not Severity.BLOCK:
            return ()
        return tuple(breaker for breaker in self.of(dataset) if breaker.holds_back)

    def hold(self, dataset: str, partition: str, version: Version) -> Judged:
        """Return the verdict by which a partition is held that no run was asked for."""
        evidence = RawEvidence(self.contracts[dataset], partition, objects=(), breakers=self.of(dataset))
        (judged,) = judge_raw((BREAKER_IS_CLOSED,), evidence, version, "", self.now)
        return judged

    def _of_dataset(self, contract: Contract) -> list[Attempt]:
        """A corrected contract starts anew."""
        ended = self.ledger.ended_attempts(_LOOKED_AT, dataset=contract.dataset)
        return [attempt for attempt in ended if is_at_present(attempt, contract) and not _has_only_pulled(attempt)]

    def _of_system(self, key: str, failure_class: FailureClass) -> Sequence[Attempt]:
        ended = self.ledger.ended_attempts(_LOOKED_AT, failure_class=failure_class)
        users = {name for name, contract in self.contracts.items() if (key, failure_class) in systems_of(contract)}
        is_source = failure_class is FailureClass.UPSTREAM_UNAVAILABLE
        return [item for item in ended if item.dataset in users and (is_source or not _has_only_pulled(item))]


def is_at_present(attempt: Attempt, contract: Contract) -> bool:
    """Whether it was tried under the contract and code as they are now."""
    return attempt.version.endswith(f"-{contract.fingerprint}-{CODE_VERSION}")


def _has_only_pulled(attempt: Attempt) -> bool:
    """A pull that succeeds says that its source is there, and nothing about what comes after it."""
    return attempt.error is None and is_pull(attempt.version.partition("-")[0])


def systems_of(contract: Contract) -> tuple[tuple[str, FailureClass], ...]:
    """Return the outside systems that a dataset uses, each with the class of failure that it causes."""
    warehouse = (WAREHOUSE, FailureClass.SINK_UNAVAILABLE)
    if contract.source is None:
        return (warehouse,)
    return ((f"source {contract.source.host or RAW_ZONE}", FailureClass.UPSTREAM_UNAVAILABLE), warehouse)
