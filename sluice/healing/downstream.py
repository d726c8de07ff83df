"""Which datasets a failure reaches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.contract import Contract


def downstream(contracts: Mapping[str, Contract], dataset: str) -> tuple[str, ...]:
    """Return all datasets derived from it, transitively, in build order; raises TransformInvalid."""
    from sluice.derivation import in_build_order, inputs_of

    reached = {dataset: None}
    for contract in in_build_order(contracts):
        if not reached.keys().isdisjoint(inputs_of(contract, contracts)):
            reached[contract.dataset] = None
    return tuple(reached)[1:]


def with_downstream(contracts: Mapping[str, Contract]) -> Mapping[str, Contract]:
    """Return the contracts, each with what is derived from it; raises TransformInvalid."""
    return {name: replace(contract, downstream=downstream(contracts, name)) for name, contract in contracts.items()}
