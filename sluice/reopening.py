"""Whether something has changed that may open a closed gate, other than new files (which are noticed anyway)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sluice.completeness import control_etags
from sluice.contract import rules_fingerprint_of
from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.healing.breaker import BreakerState
from sluice.judging import CONTROL_FACT, CONTROLLED, acceptance_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sluice.acceptance import Acceptance
    from sluice.contract import Contract
    from sluice.healing.breaker import Breaker
    from sluice.judged import Judged

LEARNED = frozenset({"row_count_is_expected", "metrics_are_expected"})
"""Gates whose limits move when an earlier partition is accepted."""

_RELEASED = "breakers closed since"
_PROBE = "probe "


class World(Protocol):
    """What is looked at: the ledger's acceptances and first publications, control files, breakers that hold."""

    def acceptances(self, dataset: str) -> Sequence[Acceptance]: ...
    def first_published(self, dataset: str) -> Mapping[str, datetime]: ...
    def etag(self, key: str) -> str | None: ...
    def holding(self, dataset: str) -> Sequence[Breaker]: ...


@dataclass(frozen=True, slots=True)
class Reopening:
    """A blocked partition that may pass now. `reasons` are stable texts; `run_ids` judged it last."""

    dataset: str
    partition: str
    version: str
    reasons: tuple[str, ...]
    run_ids: frozenset[str]

    @property
    def probe(self) -> str | None:
        """What its run may claim to be, if it is asked for as a probe of breakers that hold it."""
        return next((reason for reason in self.reasons if reason.startswith(_PROBE)), None)

    @property
    def is_release(self) -> bool:
        return any(reason.startswith(_RELEASED) for reason in self.reasons)


def reopenings(
    contracts: Mapping[str, Contract], blocking: Sequence[Judged], world: World, now: datetime
) -> tuple[Reopening, ...]:
    """Return the partitions of which every closed gate has a reason to be asked again."""
    places = dict.fromkeys((item.dataset, item.partition, item.version) for item in blocking)
    found = []
    for dataset, partition, version in places:
        contract = contracts.get(dataset)
        closed = [item for item in blocking if (item.dataset, item.partition) == (dataset, partition)]
        reasons = [_reason(item, contract, world, now) for item in closed] if contract else []
        known = tuple(reason for reason in reasons if reason is not None)
        if reasons and len(known) == len(reasons):
            run_ids = frozenset(item.run_id for item in closed)
            found.append(Reopening(dataset, partition, version, tuple(dict.fromkeys(known)), run_ids))
    return tuple(found)


def _reason(judged: Judged, contract: Contract, world: World, now: datetime) -> str | None:
    acceptances = world.acceptances(judged.dataset)
    if (accepted := acceptance_of(judged, acceptances)) is not None:
        return f"acceptance {accepted.number}"
    if judged.gate == BREAKER_IS_CLOSED.name:
        return _released(judged, world.holding(judged.dataset), now)
    if judged.rules != (rules := rules_fingerprint_of(contract)):
        return f"contract {rules}"
    match judged.gate:
        case gate if gate in LEARNED:
            return _level_accepted(judged, acceptances)
        case "estimated_cost_is_within_budget":
            return _new_month(judged, now)
        case gate if gate in CONTROLLED:
            return _control_files(judged, contract, world.etag)
        case "reference_data_is_current":
            return _newer_references(judged, contract, world)
        case _:
            return None


def _released(judged: Judged, holding: Sequence[Breaker], now: datetime) -> str | None:
    """The first of several breakers names the probe: the system's, which other datasets may probe as well."""
    if not holding:
        return f"{_RELEASED} {judged.judged_at.isoformat()}"
    return None if any(item.state is BreakerState.OPEN for item in holding) else holding[0].claim(now)


def _level_accepted(judged: Judged, acceptances: Sequence[Acceptance]) -> str | None:
    """An earlier partition's acceptance moves what is expected of the later ones."""
    moved = [
        item.number
        for item in acceptances
        if item.gate == judged.gate
        and item.partition < judged.partition
        and item.accepted_at is not None
        and item.accepted_at > judged.judged_at
    ]
    return f"acceptance {max(moved)}" if moved else None


def _new_month(judged: Judged, now: datetime) -> str | None:
    month = now.strftime("%Y-%m")
    return f"month {month}" if month != judged.judged_at.strftime("%Y-%m") else None


def _control_files(judged: Judged, contract: Contract, etag: Callable[[str], str | None]) -> str | None:
    there = control_etags(contract, judged.partition, etag)
    return f"control {there}" if there and there != judged.verdict.facts.get(CONTROL_FACT) else None


def _newer_references(judged: Judged, contract: Contract, world: World) -> str | None:
    newer = [
        f"{reference.dataset} {partition}"
        for reference in contract.gates.references
        for partition, at in world.first_published(reference.dataset).items()
        if partition <= judged.partition and at > judged.judged_at
    ]
    return f"reference {max(newer)}" if newer else None
