"""The contract's `healing`: how often failures that time may heal are retried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract_file.cost import fields_of
from sluice.healing.failure import FailureClass
from sluice.healing.policy import USUAL, HealingPolicy

if TYPE_CHECKING:
    from sluice.contract_file.place import Place

MOST_RETRIES = 20
_FIELDS = ("retries",)
_CURE = f"Write a whole number from 0 to {MOST_RETRIES}; 0 means that a person looks at once."


def read_healing(value: object, place: Place) -> HealingPolicy:
    """Return the policy; `value` is what is written, None when nothing is."""
    written, here = fields_of(value, place, _FIELDS).get("retries"), place["retries"]
    if isinstance(written, dict):
        _refuse_hopeless(written, here)
    known = tuple(str(kind) for kind in USUAL)
    retries = fields_of(_without_hopeless(written), here, known)
    read = {FailureClass(name): _retries(item, here[name]) for name, item in retries.items()}
    return HealingPolicy(most=tuple(sorted((kind, most) for kind, most in read.items() if most is not None)))


def _refuse_hopeless(written: dict[object, object], place: Place) -> None:
    for name in written:
        if name in _HOPELESS:
            place[str(name)].refuse(
                "fails again on the same input, so it is never retried.",
                f"Leave it out; retried are: {', '.join(USUAL)}.",
            )


def _without_hopeless(written: object) -> object:
    """What was refused with a better reason is not called unknown on top of that."""
    return (
        {name: item for name, item in written.items() if name not in _HOPELESS}
        if isinstance(written, dict)
        else written
    )


def _retries(value: object, place: Place) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_RETRIES:
        return value
    place.refuse("is empty." if value is None else f'is "{value}".', _CURE)
    return None


_HOPELESS = frozenset(str(kind) for kind in FailureClass if kind not in USUAL)
