"""All partitions at a glance: what has landed, what tables hold, and what state that leaves each partition in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract import CODE_VERSION
from sluice.derivation import derived_manifest, in_build_order, inputs_of
from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.judging import stopping
from sluice.partition_state import GateState, PartitionStatus, status_of
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sluice.acceptance import Acceptance
    from sluice.contract import Contract
    from sluice.history import Attempt, Published
    from sluice.judged import Judged
    from sluice.manifest import Manifest

    Place = tuple[str, str]


def survey(
    contracts: Mapping[str, Contract],
    manifests: Iterable[Manifest],
    published: Iterable[Published],
    last_attempt: Callable[[str, str], Attempt | None],
    blocking: Iterable[Judged] = (),
    acceptances: Sequence[Acceptance] = (),
    taken_back: Mapping[Place, Collection[Version]] | None = None,
) -> tuple[PartitionStatus, ...]:
    """Return the status of every partition that landed, was published or could be derived, by dataset and partition.

    `manifests` are the newest of each partition; `blocking` are the verdicts that block;
    `taken_back` are the versions that rewinds took back. A partition of a dataset that
    no contract declares is left out.
    """
    blocking = tuple(blocking)
    about_data = (item for item in blocking if item.gate != BREAKER_IS_CLOSED.name)
    gates = {_judged_place(item): GateState.ACCEPTED for item in about_data}
    stopped = stopping(blocking, acceptances)
    gates |= {_judged_place(item): GateState.HELD for item in stopped if item.gate == BREAKER_IS_CLOSED.name}
    gates |= {_judged_place(item): GateState.CLOSED for item in stopped if item.gate != BREAKER_IS_CLOSED.name}
    held = {(item.outcome.dataset, item.outcome.partition): item for item in published}
    wanted = wanted_versions(contracts, manifests, held)
    places = sorted(place for place in wanted.keys() | held.keys() if place[0] in contracts)
    marks = taken_back or {}
    return tuple(
        _status(place, wanted.get(place), held.get(place), last_attempt, gates, marks.get(place, ()))
        for place in places
    )


def wanted_versions(
    contracts: Mapping[str, Contract], manifests: Iterable[Manifest], held: Mapping[Place, Published]
) -> Mapping[Place, Version]:
    """Return the version that each partition should show: of landed files, and of what could be derived."""
    return _landed(contracts, manifests) | _derived(contracts, held)


def _status(
    place: Place,
    wanted: Version | None,
    held: Published | None,
    last_attempt: Callable[[str, str], Attempt | None],
    gates: Mapping[tuple[str, str, str], GateState],
    taken_back: Collection[Version],
) -> PartitionStatus:
    # Most partitions are as they should be; asking for the last try at each would cost a query each.
    is_right = held is not None and held.outcome.version == wanted
    last_try = None if is_right else last_attempt(*place)
    gate = gates.get((*place, str(wanted)), GateState.OPEN)
    return status_of(*place, wanted=wanted, published=held, last_try=last_try, gate=gate, taken_back=taken_back)


def _judged_place(item: Judged) -> tuple[str, str, str]:
    return item.dataset, item.partition, item.version


def _landed(contracts: Mapping[str, Contract], manifests: Iterable[Manifest]) -> dict[Place, Version]:
    return {
        (item.dataset, item.partition): _version(item, contracts[item.dataset])
        for item in manifests
        if item.dataset in contracts
    }


def _derived(contracts: Mapping[str, Contract], held: Mapping[Place, Published]) -> dict[Place, Version]:
    """Every date on which all inputs of a derived dataset are published, with the version that follows from them."""
    wanted = {}
    for contract in in_build_order(contracts):
        inputs = inputs_of(contract, contracts)
        dates = [{partition for dataset, partition in held if dataset == name} for name in inputs]
        for partition in set[str]().union(*dates).intersection(*dates):
            versions = {name: held[name, partition].outcome.version for name in inputs}
            manifest = derived_manifest(contract.dataset, partition, versions)
            wanted[contract.dataset, partition] = _version(manifest, contract)
    return wanted


def _version(manifest: Manifest, contract: Contract) -> Version:
    return Version(manifest.fingerprint, contract.fingerprint, CODE_VERSION)
