"""One expectation of a contract."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Importance(StrEnum):
    """The severity of an expectation: critical ones block publication."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Expectation:
    """`type` is Great Expectations' name; `kwargs` are its arguments as JSON text; `name` is what people see."""

    type: str
    kwargs: str
    name: str
    importance: Importance = Importance.CRITICAL
    description: str = ""
