"""The contract's `healing`: retries of what time may heal, the breaker, and what stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract_file.cost import fields_of
from sluice.contract_file.duration import read_duration
from sluice.healing.failure import FailureClass
from sluice.healing.policy import USUAL, Audit, BreakerPolicy, HealingPolicy, Retries, StandIn

if TYPE_CHECKING:
    from datetime import timedelta

    from sluice.contract_file.place import Place

MOST_RETRIES = 20
_FIELDS = ("retries", "retry_runs", "breaker", "stand_in", "audit")
_RETRY_FIELDS = ("most", "first", "cap")
_BREAKER_FIELDS = ("failures", "first", "cap")
_CURE = f"Write a whole number from 0 to {MOST_RETRIES}; 0 means that a person looks at once."
_MOST_RUNS = 1000
_MOST_FAILURES = 100
_USUAL = HealingPolicy()
_PREVIOUS = "previous_partition"
_STAND_IN_CURE = f'Write {_PREVIOUS}, or where files stand in: {{path: "orders-backup/date={{date}}/*.jsonl"}}.'


def read_healing(value: object, place: Place) -> HealingPolicy:
    """Return the policy; `value` is what is written, None when nothing is."""
    fields = fields_of(value, place, _FIELDS)
    return HealingPolicy(
        changed=_retries_by_class(fields.get("retries"), place["retries"]),
        breaker=_breaker(fields.get("breaker"), place["breaker"]),
        stand_in=_stand_in(fields["stand_in"], place["stand_in"]) if "stand_in" in fields else None,
        audit=_audit(fields["audit"], place["audit"]) if "audit" in fields else None,
        runs_per_dataset=_whole(
            fields.get("retry_runs", _USUAL.runs_per_dataset),
            place["retry_runs"],
            (1, _MOST_RUNS),
            f"Write how many retry runs may be asked for in ten minutes, 1 to {_MOST_RUNS:,}.",
            _USUAL.runs_per_dataset,
        ),
    )


def _retries_by_class(written: object, place: Place) -> tuple[tuple[FailureClass, Retries], ...]:
    if isinstance(written, dict):
        _refuse_hopeless(written, place)
    retries = fields_of(_without_hopeless(written), place, tuple(str(kind) for kind in USUAL))
    kinds = sorted(FailureClass(name) for name in retries)
    return tuple((kind, _retries(retries[kind], place[kind], kind)) for kind in kinds)


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


def _retries(value: object, place: Place, failure_class: FailureClass) -> Retries:
    usual = USUAL[failure_class]
    if not isinstance(value, dict):
        return Retries(_whole(value, place, (0, MOST_RETRIES), _CURE, usual.most), usual.first, usual.cap)
    fields = fields_of(value, place, _RETRY_FIELDS)
    most = _whole(fields.get("most", usual.most), place["most"], (0, MOST_RETRIES), _CURE, usual.most)
    return Retries(most, *_waits(fields, place, usual.first, usual.cap))


def _breaker(value: object, place: Place) -> BreakerPolicy:
    fields, usual = fields_of(value, place, _BREAKER_FIELDS), _USUAL.breaker
    cure = f"Write after how many failures in a row it opens, 1 to {_MOST_FAILURES}."
    failures = _whole(
        fields.get("failures", usual.failures), place["failures"], (1, _MOST_FAILURES), cure, usual.failures
    )
    return BreakerPolicy(failures, *_waits(fields, place, usual.first, usual.cap))


def _waits(
    fields: dict[str, object], place: Place, usual_first: timedelta, usual_cap: timedelta
) -> tuple[timedelta, timedelta]:
    """One of the two alone moves the other where it would contradict it."""
    first = read_duration(fields.get("first"), place["first"], usual_first)
    cap = read_duration(fields.get("cap"), place["cap"], usual_cap)
    if first > cap and "first" in fields and "cap" in fields:
        place.refuse("has a first wait above its cap.", "Swap the two.")
    return (min(first, cap), cap) if "cap" in fields else (first, max(first, cap))


def _stand_in(value: object, place: Place) -> StandIn | None:
    if value == _PREVIOUS:
        return StandIn()
    found = len(place.problems)
    path = fields_of(value, place, ("path",)).get("path") if isinstance(value, dict) else None
    if isinstance(path, str) and path:
        return StandIn(path)
    if len(place.problems) == found:
        place.refuse("does not say what stands in.", _STAND_IN_CURE)
    return None


def _audit(value: object, place: Place) -> Audit | None:
    if isinstance(value, str) and value in set(Audit):
        return Audit(value)
    place.refuse("does not say what becomes of published data that fail.", f"Write one of {', '.join(Audit)}.")
    return None


def _whole(value: object, place: Place, limits: tuple[int, int], cure: str, usual: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and limits[0] <= value <= limits[1]:
        return value
    place.refuse("is empty." if value is None else f'is "{value}".', cure)
    return usual


_HOPELESS = frozenset(str(kind) for kind in FailureClass if kind not in USUAL)
