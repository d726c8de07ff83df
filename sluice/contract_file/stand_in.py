"""Whether what a contract names as a stand-in can stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.errors import LocationInvalid
from sluice.location import Location

if TYPE_CHECKING:
    from sluice.contract import Contract
    from sluice.contract_file.place import Place


def check_stand_in(contract: Contract, place: Place) -> None:
    """`place` is that of `stand_in`."""
    policy = contract.healing.stand_in
    if policy is None:
        return
    if contract.transform_sql is not None:
        place.refuse(
            "is about landed files, but this dataset is a transform.sql.",
            "Leave it out: what is derived from a stand-in is flagged by itself.",
        )
    elif contract.freshness is None:
        place.refuse(
            "is used when a promised time has passed, but the contract promises none.",
            'Add slaProperties: [{property: timeOfAvailability, value: "07:00"}], or leave this out.',
        )
    if policy.path is not None:
        _check_path(policy.path, contract, place["path"])


def _check_path(path: str, contract: Contract, place: Place) -> None:
    try:
        fallback = Location.parse(path)
    except LocationInvalid as error:
        place.refuse(f'"{path}" {error.problem}.', error.cure)
        return
    if contract.source is None or not contract.source.pattern:
        return
    try:
        own = Location.parse(contract.source.pattern)
    except LocationInvalid:  # refused where it is written
        return
    if fallback.root.startswith(own.root) or own.root.startswith(fallback.root):
        place.refuse(
            f'"{path}" lies in the folder where the dataset\'s own files land.',
            'Choose a folder beside it, such as "orders-backup/".',
        )
