"""What came of judging expectations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.expectations.expectation import Expectation


@dataclass(frozen=True, slots=True)
class Result:
    """`observed` is Great Expectations' `result` dictionary as JSON text; `failing` is how many records break it.

    `sample` are primary keys (or values, where there is no key) of at most ten failing records.
    """

    expectation: Expectation
    success: bool
    failing: int | None
    observed: str
    sample: tuple[Mapping[str, str | int | float | None], ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """All results of one partition. `suite` and `validation` are what was stored, as JSON texts of the same form."""

    results: tuple[Result, ...]
    suite: str
    validation: str
    facts: Mapping[str, str] = field(default_factory=dict)
