"""How a ledger answers a request for money; amounts are counted in billionths of a dollar, so that sums are exact."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sluice.cost.budget import Funding, Purpose, SpendState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluice.cost.budget import Limits, Request

_NANODOLLARS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Counted:
    """Money that counts against this month's limits; `is_open` says that it is reserved and not yet settled."""

    purpose: Purpose
    is_open: bool
    nanodollars: int


def answer(request: Request, limits: Limits, counted: Iterable[Counted], *, regardless: bool) -> Funding:
    """Grant the request or name the limit that it exceeds; `counted` is without the request itself.

    What costs nothing exceeds no limit: staged data can be published when the budget is exhausted.
    """
    month = tuple(counted)
    answers = [_ask(request, "monthly", limits.monthly_usd, limits.monthly_origin, month)]
    if request.purpose is Purpose.HEALING:
        healing = tuple(item for item in month if item.purpose is Purpose.HEALING)
        answers.append(_ask(request, "healing", limits.healing_monthly_usd, limits.healing_origin, healing))
    refusal = next((item for item in answers if not item.granted), None)
    return replace(answers[0], granted=True) if refusal is None or regardless else refusal


def nanodollars(usd: float) -> int:
    """Raises ValueError on what is no amount of money."""
    return round(check_amount("dollars", usd) * _NANODOLLARS)


def dollars(amount: int) -> float:
    return amount / _NANODOLLARS


def check_amount(name: str, value: float) -> float:
    """Return a finite number that is not negative; raises ValueError on any other."""
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{value} {name} cannot be recorded.")
    return value


def check_settled(state: SpendState) -> SpendState:
    if state is SpendState.RESERVED:
        raise ValueError("A reservation is not settled by reserving.")
    return state


def _ask(request: Request, budget: str, limit_usd: float | None, origin: str, counted: tuple[Counted, ...]) -> Funding:
    spent = sum(item.nanodollars for item in counted if not item.is_open)
    reserved = sum(item.nanodollars for item in counted if item.is_open)
    wanted = nanodollars(request.estimate.usd)
    return Funding(
        request=request,
        granted=not wanted or limit_usd is None or spent + reserved + wanted <= nanodollars(limit_usd),
        budget=budget,
        limit_usd=limit_usd,
        spent_usd=dollars(spent),
        reserved_usd=dollars(reserved),
        origin=origin,
    )
