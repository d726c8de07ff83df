"""What gates said and measured, as a ledger keeps it: JSON text, finite numbers."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from sluice.gates.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sluice.judged import Judged


def write_verdict(verdict: Verdict) -> str:
    """Raises ValueError on a number that is not finite: JSON has none."""
    return json.dumps(
        {
            "holds": verdict.holds,
            "explanation": verdict.explanation,
            "numbers": dict(verdict.numbers),
            "threshold": verdict.threshold,
            "origin": verdict.origin,
            "may_block": verdict.may_block,
            "facts": dict(verdict.facts),
            "sample": [dict(row) for row in verdict.sample],
        },
        allow_nan=False,
    )


def read_verdict(text: str) -> Verdict:
    fields = json.loads(text)
    return Verdict(**{**fields, "sample": tuple(fields["sample"])})


def place_of(judged: Sequence[Judged]) -> tuple[str, str, str]:
    """Return dataset, partition and version of all; raises ValueError when they differ."""
    place, *others = {(item.dataset, item.partition, item.version) for item in judged}
    if others:
        raise ValueError(f"Verdicts on several versions cannot be recorded together: {[place, *others]}.")
    return place


def write_numbers(numbers: Mapping[str, int | float]) -> str:
    return json.dumps(dict(numbers), allow_nan=False)


def read_numbers(text: str) -> dict[str, int | float]:
    numbers: dict[str, int | float] = json.loads(text)
    return numbers


def check_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics as floats; raises ValueError on one that is not finite."""
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise ValueError(f"The metric {name} is {value}, which cannot be recorded.")
    return {name: float(value) for name, value in metrics.items()}
