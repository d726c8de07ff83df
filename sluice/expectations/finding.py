"""What was found out about one expectation, by SQL or by Great Expectations."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """`result` is Great Expectations' dictionary; an expectation that could not be judged has an `error`."""

    success: bool
    result: Mapping[str, object]
    failing: int | None = None
    sample: tuple[Mapping[str, Cell], ...] = ()
    error: str | None = None


def failed(error: Exception) -> Finding:
    """Return the finding for an expectation that could not be judged; of the message the first line is kept."""
    first, *_ = str(error).strip().splitlines() or [""]
    return Finding(success=False, result={}, error=f"{type(error).__name__}: {first}")


def result_text(result: object) -> str:
    return json.dumps(plain(result), ensure_ascii=False)


def plain(value: object) -> object:
    """Return a value that JSON has; Great Expectations knows no exact decimals, so they become floats."""
    match value:
        case None | bool() | str() | int():
            return value
        case float() | Decimal():
            return float(value) if math.isfinite(value) else None
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)


def cell(value: object) -> Cell:
    """Return a value as a table shows it; an exact decimal keeps its digits."""
    shown = str(value) if isinstance(value, Decimal) else plain(value)
    return shown if isinstance(shown, str | int | float | None) else json.dumps(shown, ensure_ascii=False)
