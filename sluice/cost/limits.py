"""How much a dataset may spend in a month, and on what a run spends it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sluice.cost.budget import Limits, Purpose, Spent
from sluice.cost.money import usd_text
from sluice.cost.quantile import robust_quantile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sluice.contract import Contract
    from sluice.cost.budget import Spend
    from sluice.cost.rules import Limit

PURPOSE_TAG = "sluice/purpose"
"""A run that repairs something has this tag with the value `healing`."""

_MOST_MONTHS_NEEDED = 3  # a limit's minimum_history counts months here; its default is meant for partitions


def limits(contract: Contract, spent: Iterable[Spent], month: str) -> Limits:
    """Return the limits of a month (`2026-11`); `spent` is the dataset's history, of which only earlier months count.

    A learned limit is none until there were enough months with spending; its origin says so.
    """
    earlier = [item for item in spent if item.month < month]
    healing = [item for item in earlier if item.purpose is Purpose.HEALING]
    monthly_usd, monthly_origin = _limit(contract.cost.monthly_usd, earlier)
    healing_usd, healing_origin = _limit(contract.cost.healing_monthly_usd, healing)
    return Limits(monthly_usd, healing_usd, monthly_origin, healing_origin)


def are_learned(contract: Contract) -> bool:
    """Whether `limits` needs the history at all."""
    rules = (contract.cost.monthly_usd, contract.cost.healing_monthly_usd)
    return any(rule is not None and rule.fixed is None for rule in rules)


def purpose_of(tags: Mapping[str, str], earlier_failures: bool) -> Purpose:  # noqa: FBT001  one of two facts, no switch
    """Return healing for another try at what failed before and for a run that says so."""
    is_healing = earlier_failures or tags.get(PURPOSE_TAG) == Purpose.HEALING
    return Purpose.HEALING if is_healing else Purpose.BUILD


def amount(spend: Spend) -> float:
    """Return what counts of a spend: the actual cost, or what is reserved for it."""
    return spend.request.estimate.usd if spend.actual_usd is None else spend.actual_usd


def spent(spend: Spend) -> Spent:
    return Spent(spend.request.month, spend.request.purpose, amount(spend))


def _limit(rule: Limit | None, earlier: Iterable[Spent]) -> tuple[float | None, str]:
    if rule is None:
        return None, ""
    if rule.fixed is not None:
        return rule.fixed, "contract"
    totals: defaultdict[str, float] = defaultdict(float)
    for item in earlier:
        totals[item.month] += item.usd
    months = [total for total in totals.values() if total > 0]
    needed = min(rule.minimum_history, _MOST_MONTHS_NEEDED)
    if len(months) < needed:
        return None, f"no limit yet: learned after {needed} months with spending, {len(months)} so far"
    usual = robust_quantile(months, rule.quantile)
    count = f"{len(months)} month{'' if len(months) == 1 else 's'}"
    origin = f"learned from {count}: {usd_text(usual)} USD (quantile {rule.quantile:g}) x {rule.factor:g}"
    return usual * rule.factor, origin
