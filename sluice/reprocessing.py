"""Which partitions are built again because a new contract may take in what an older one did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sluice.drift_kind import TYPE_CODES, DriftKind
from sluice.healing.failure import FailureClass
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sluice.contract import Contract
    from sluice.history import Attempt, Published
    from sluice.outcome import Outcome

_DRIFT_CODES = TYPE_CODES | {"schema_drift", "unknown_field", "required", "header_mismatch", "column_count"}
_ABOUT_DATA = frozenset({FailureClass.SCHEMA_DRIFT, FailureClass.QUALITY})


class Ledger(Protocol):
    def published_under_others(self, dataset: str, contract: str) -> tuple[Published, ...]: ...
    def last_attempt(self, dataset: str, partition: str) -> Attempt | None: ...


@dataclass(frozen=True, slots=True)
class Reprocessing:
    """A partition to build again under the present contract; `before` is what was made of it under an older one."""

    dataset: str
    partition: str
    before: Version
    run_id: str


def reprocessings(contracts: Iterable[Contract], failed: Sequence[Attempt], ledger: Ledger) -> tuple[Reprocessing, ...]:
    """Return them by dataset and partition; `failed` are the ledger's failed attempts.

    One that was tried under its present contract is left out: whatever came of that, this is done.
    """
    found = []
    for contract in contracts:
        if contract.source is None:
            continue
        candidates = {item.partition: item for item in _blocked(contract, failed)}
        candidates |= {item.partition: item for item in _published(contract, ledger)}
        found += [item for _, item in sorted(candidates.items()) if not _was_tried(contract, item.partition, ledger)]
    return tuple(found)


def _blocked(contract: Contract, failed: Sequence[Attempt]) -> Iterator[Reprocessing]:
    """Yield what was kept out of the table because of its data: other columns may make other data of it."""
    for attempt in failed:
        if attempt.dataset == contract.dataset and attempt.failure_class in _ABOUT_DATA:
            yield Reprocessing(attempt.dataset, attempt.partition, Version.parse(attempt.version), attempt.run_id)


def _published(contract: Contract, ledger: Ledger) -> Iterator[Reprocessing]:
    for published in ledger.published_under_others(contract.dataset, contract.fingerprint):
        outcome = published.outcome
        if outcome.stand_in is None and _suffers(contract, outcome):
            yield Reprocessing(outcome.dataset, outcome.partition, outcome.version, outcome.run_id)


def _suffers(contract: Contract, outcome: Outcome) -> bool:
    """Whether records are missing for drift, or a field is that the contract knows by now."""
    if any(item.kind is not DriftKind.UNKNOWN for item in outcome.drift):
        return True
    if any(reason.code in _DRIFT_CODES for reason in outcome.reasons):
        return True
    known = {name for column in contract.columns for name in (column.name, *column.shim.also_called)}
    return not known.isdisjoint(outcome.unknown_fields)


def _was_tried(contract: Contract, partition: str, ledger: Ledger) -> bool:
    last = ledger.last_attempt(contract.dataset, partition)
    return last is not None and Version.parse(last.version).contract == contract.fingerprint
