"""The expectations of the contract's `quality` entries, by their importance."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from sluice.expectations.expectation import Importance
from sluice.gates.verdict import Cell, StagedGate, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sluice.contract import Contract
    from sluice.expectations.results import Result
    from sluice.gates.evidence import StagedEvidence

_NAMED = 3
_SAMPLE_ROWS = 10


def judge(evidence: StagedEvidence) -> Verdict:
    """Critical failures block; if only others fail, the verdict warns. What is info is told and never fails."""
    judged = evidence.expectations
    if judged is None:
        return Verdict(holds=False, explanation="The expectations were not judged.", numbers={}, origin="contract")
    failed = [item for item in judged.results if not item.success]
    critical, warning, info = (
        [item for item in failed if item.expectation.importance is importance] for importance in Importance
    )
    return Verdict(
        holds=not critical and not warning,
        explanation=_explanation(judged.results, critical, warning, info),
        numbers=_numbers(judged.results, critical, warning, info),
        threshold="every critical expectation is met",
        origin="contract",
        may_block=bool(critical),
        facts={**judged.facts, **_observed(failed)},
        sample=tuple(_sample([*critical, *warning, *info])),
    )


def _applies(contract: Contract) -> bool:
    return bool(contract.expectations)


EXPECTATIONS_HOLD = StagedGate(
    name="expectations_hold",
    description="The contract's quality rules are met: critical ones block, warnings do not.",
    cure="Correct the data at its source and land it again, or correct the rule in the contract.",
    applies=_applies,
    judge=judge,
)


def _explanation(
    results: Sequence[Result], critical: Sequence[Result], warning: Sequence[Result], info: Sequence[Result]
) -> str:
    total = f"{len(results):,} expectation{'' if len(results) == 1 else 's'}"
    failed = [
        f"{word}: {_listed(items)}"
        for word, items in (("critical", critical), ("warning", warning), ("information", info))
        if items
    ]
    count = len(critical) + len(warning) + len(info)
    return f"{count:,} of {total} not met; {'; '.join(failed)}." if failed else f"All {total} met."


def _listed(items: Sequence[Result]) -> str:
    shown = [f"{item.expectation.name} ({_found(item)})" for item in items[:_NAMED]]
    return ", ".join([*shown, *([f"{len(items) - _NAMED} more"] if items[_NAMED:] else [])])


def _found(item: Result) -> str:
    if item.error is not None:
        return "could not be judged"
    if item.failing:
        return f"{item.failing:,} failing"
    observed = _observed_value(item)
    return "not met" if observed is None else f"is {observed}"


def _observed_value(item: Result) -> Cell:
    """The number of a rule that counts no records: its own, or that of a measured row."""
    result = json.loads(item.observed)
    rows = result.get("details", {}).get("unexpected_rows") if isinstance(result.get("details"), dict) else None
    if rows and list(rows[0]) == ["measured"]:
        measured = rows[0]["measured"]
        return "no number" if measured is None else _number(measured)
    observed = result.get("observed_value")
    return _number(observed) if isinstance(observed, str | int | float) else None


def _number(value: object) -> Cell:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _numbers(
    results: Sequence[Result], critical: Sequence[Result], warning: Sequence[Result], info: Sequence[Result]
) -> dict[str, int | float]:
    numbers: dict[str, int | float] = {
        "expectations": len(results),
        "failed_critical": len(critical),
        "failed_warning": len(warning),
        "failed_info": len(info),
    }
    for item in (*critical, *warning, *info):
        if item.failing is not None:
            name = _safe(item.expectation.name)
            # Two rules may have one name; the larger count is plotted.
            numbers[name] = max(item.failing, numbers.get(name, 0))
    return numbers


def _safe(name: str) -> str:
    """Return `failing_orders_amount_...`: letters, digits and `_`, so that people know the line."""
    return "failing_" + (re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60] or "records")


def _observed(failed: Iterable[Result]) -> Mapping[str, str]:
    return {item.expectation.name: f"error: {item.error}" for item in failed if item.error is not None}


def _sample(failed: Sequence[Result]) -> Iterable[Mapping[str, Cell]]:
    """Yield a row for each offender, the first of every expectation first, ten in all."""
    offenders = [
        (position, number, item, row)
        for number, item in enumerate(failed)
        for position, row in enumerate(item.sample or ({},))
    ]
    for _, _, item, row in sorted(offenders, key=lambda offender: offender[:2])[:_SAMPLE_ROWS]:
        sample = ", ".join(f"{name}={value}" for name, value in row.items())
        yield {"expectation": item.expectation.name, "failing": item.failing, "sample": sample}
