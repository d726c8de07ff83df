"""What one expectation asks of a table, as SQL, and what the answer means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sluice.datatypes import DataType

BATCH = "batch"
"""The view that the partition is read through."""

Kwargs = dict[str, Any]  # Any: the arguments of 58 expectations, checked when the contract was read
Columns = dict[str, "DataType"]


@dataclass(frozen=True, slots=True)
class Answer:
    """`result` is Great Expectations' dictionary; `failing` is how many records break the expectation, if any can."""

    success: bool
    result: Mapping[str, object]
    failing: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """`measures` are aggregates over the batch, asked of all expectations at once; `answer` is given their values.

    When the answer is no, records that meet the condition `unexpected` are shown by their key and the columns `shown`
    (in the result each as a value, as a list or, if `labelled`, by name), and each of `lists`, a query of one column,
    becomes a list in the result.
    """

    measures: tuple[str, ...]
    answer: Callable[[Sequence[Any]], Answer]  # Any: whatever DuckDB returns
    unexpected: str | None = None
    shown: tuple[str, ...] = ()
    labelled: bool = False
    lists: Mapping[str, str] = field(default_factory=dict)
