"""All partitions at a glance: what has landed, what tables hold, and what state that leaves each partition in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract import CODE_VERSION
from sluice.derivation import derived_manifest, in_build_order, inputs_of
from sluice.partition_state import PartitionStatus, status_of
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

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
    stopping: Iterable[Judged] = (),
) -> tuple[PartitionStatus, ...]:
    """Return the status of every partition that landed, was published or could be derived, by dataset and partition.

    `manifests` are the newest of each partition; `stopping` are the verdicts that block and that nobody accepted. A
    partition of a dataset that no contract declares is left out.
    """
    blocked = {(item.dataset, item.partition, item.version) for item in stopping}
    held = {(item.outcome.dataset, item.outcome.partition): item for item in published}
    wanted = _landed(contracts, manifests) | _derived(contracts, held)
    places = sorted(place for place in wanted.keys() | held.keys() if place[0] in contracts)
    return tuple(_status(place, wanted.get(place), held.get(place), last_attempt, blocked) for place in places)


def _status(
    place: Place,
    wanted: Version | None,
    held: Published | None,
    last_attempt: Callable[[str, str], Attempt | None],
    blocked: Collection[tuple[str, str, str]],
) -> PartitionStatus:
    # Most partitions are as they should be; asking for the last try at each would cost a query each.
    is_right = held is not None and held.outcome.version == wanted
    last_try = None if is_right else last_attempt(*place)
    is_blocked = (*place, str(wanted)) in blocked
    return status_of(*place, wanted=wanted, published=held, last_try=last_try, blocked=is_blocked)


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
