"""The contract's `cost`: budgets, limits, reference queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract_file.cost_limit import read_limit
from sluice.contract_file.cost_queries import read_queries
from sluice.contract_file.size import read_bytes
from sluice.cost.rules import CostRules, Engine, Limit
from sluice.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sluice.contract import Column
    from sluice.contract_file.place import Place

_FIELDS = ("engine", "region", "monthly_usd", "healing_monthly_usd", "runtime_seconds", "queries", "files")
_FILE_FIELDS = ("min_bytes", "max_bytes")


def read_cost(value: object, place: Place, dataset: str, columns: Sequence[Column]) -> CostRules:
    """Return the rules; `value` is what is written, None when nothing is."""
    usual = CostRules()
    rules = fields_of(value, place, _FIELDS)
    monthly = _limit(rules, "monthly_usd", place)
    healing = _limit(rules, "healing_monthly_usd", place)
    _refuse_larger(healing, monthly, place["healing_monthly_usd"])
    min_bytes, max_bytes = _file_sizes(rules.get("files"), place["files"], usual)
    return CostRules(
        engine=_engine(rules.get("engine"), place["engine"], usual.engine),
        region=_region(rules.get("region"), place["region"], usual.region),
        monthly_usd=monthly,
        healing_monthly_usd=healing,
        runtime_seconds=_limit(rules, "runtime_seconds", place),
        queries=read_queries(rules.get("queries"), place["queries"], dataset, columns),
        min_file_bytes=min_bytes,
        max_file_bytes=max_bytes,
    )


def fields_of(value: object, place: Place, known: Collection[str]) -> dict[str, object]:
    """Return the known fields of a mapping, after refusing what else is there."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        place.refuse("must hold fields of its own.", f"Known: {', '.join(known)}.")
        return {}
    for name in value:
        if name not in known:
            place[name].refuse("is not a field here.", did_you_mean(name, known))
    return {name: item for name, item in value.items() if name in known}


def _limit(rules: dict[str, object], name: str, place: Place) -> Limit | None:
    return read_limit(rules[name], place[name]) if rules.get(name) is not None else None


def _refuse_larger(healing: Limit | None, monthly: Limit | None, place: Place) -> None:
    if (
        healing
        and monthly
        and healing.fixed is not None
        and monthly.fixed is not None
        and healing.fixed > monthly.fixed
    ):
        place.refuse(
            f"is {healing.fixed:g}, more than monthly_usd, of which it is a part.",
            f"Write at most {monthly.fixed:g}, or leave it out.",
        )


def _engine(value: object, place: Place, usual: Engine) -> Engine:
    if value is None:
        return usual
    if value in tuple(Engine):
        return Engine(str(value))
    place.refuse(f'is "{value}", which is no engine.', did_you_mean(str(value), Engine))
    return usual


def _region(value: object, place: Place, usual: str) -> str:
    """Only the price book knows which regions there are."""
    if value is None:
        return usual
    if isinstance(value, str) and value.strip():
        return value
    place.refuse("must be text.", "Write a region of the price book, such as eu-central-1.")
    return usual


def _file_sizes(value: object, place: Place, usual: CostRules) -> tuple[int, int]:
    files = fields_of(value, place, _FILE_FIELDS)
    min_bytes = read_bytes(files.get("min_bytes"), place["min_bytes"], usual.min_file_bytes)
    max_bytes = read_bytes(files.get("max_bytes"), place["max_bytes"], usual.max_file_bytes)
    if min_bytes > max_bytes:
        place.refuse(f"has min_bytes {min_bytes:,} above max_bytes {max_bytes:,}.", "Swap the two, or widen them.")
    return min_bytes, max_bytes
