"""The operator of a quality rule: exactly one, with its number or numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sluice.expectations.measured import Limit, Operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.contract_file.place import Place

_RANGES = (Operator.BETWEEN, Operator.NOT_BETWEEN)


def read_limit(rule: Mapping[str, object], place: Place) -> Limit | None:
    """Return the limit, or None after refusing."""
    written = [operator for operator in Operator if rule.get(operator) is not None]
    if len(written) != 1:
        problem = f"has {len(written)} operators ({', '.join(written)})." if written else "has no operator."
        place.refuse(problem, f"Write one of {', '.join(Operator)}.")
        return None
    operator = written[0]
    value, here = rule[operator], place[operator]
    numbers = [_number(item) for item in (value if isinstance(value, list) else [value])]
    wanted = 2 if operator in _RANGES else 1
    found = tuple(number for number in numbers if number is not None)
    if len(found) != wanted or len(numbers) != wanted:
        noun = "two numbers" if operator in _RANGES else "a number"
        here.refuse(f"must be {noun}.", f"Write {operator}: {'[1, 10]' if operator in _RANGES else '0'}.")
        return None
    if operator in _RANGES and found[0] > found[1]:
        here.refuse(f"begins at {found[0]}, above its end {found[1]}.", "Swap the two.")
        return None
    return Limit(operator, found)


def _number(value: object) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
