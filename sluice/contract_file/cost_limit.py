"""A limit of the contract's `cost`: a number, or how it is learned."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sluice.cost.rules import Limit
from sluice.errors import did_you_mean

if TYPE_CHECKING:
    from sluice.contract_file.place import Place

_FIELDS = ("quantile", "factor", "minimum_history")
_CURE = "Write a number above 0, or {quantile: 0.9, factor: 1.5}."


def read_limit(value: object, place: Place) -> Limit | None:
    """Return the limit, or None after refusing."""
    if not isinstance(value, dict):
        fixed = positive(value, place, _CURE)
        return None if fixed is None else Limit(fixed=float(fixed))
    for name in value:
        if name not in _FIELDS:
            place[name].refuse("is not a field here.", did_you_mean(name, _FIELDS))
    usual = Limit()
    return Limit(
        quantile=_quantile(value.get("quantile"), place["quantile"], usual.quantile),
        factor=_factor(value.get("factor"), place["factor"], usual.factor),
        minimum_history=_minimum(value.get("minimum_history"), place["minimum_history"], usual.minimum_history),
    )


def positive(value: object, place: Place, cure: str) -> Decimal | None:
    """Return a number above 0, or None after refusing."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and value > 0:
        return Decimal(value)
    place.refuse(f"is {_shown(value)}.", cure)
    return None


def _quantile(value: object, place: Place, usual: float) -> float:
    if value is None:
        return usual
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 < value <= 1:
        return float(value)
    place.refuse(f"is {_shown(value)}.", "Write a share above 0 and up to 1, such as 0.9.")
    return usual


def _factor(value: object, place: Place, usual: float) -> float:
    if value is None:
        return usual
    found = positive(value, place, "Write a number above 0, such as 1.5.")
    return usual if found is None else float(found)


def _minimum(value: object, place: Place, usual: int) -> int:
    if value is None:
        return usual
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    place.refuse(f"is {_shown(value)}.", "Write a whole number of at least 1.")
    return usual


def _shown(value: object) -> str:
    return f'"{value}", no number' if isinstance(value, str | bool | list) else str(value or 0)
