"""What went wrong, by class: the class decides what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


class FailureClass(StrEnum):
    TRANSIENT = "transient"  # a lost race, a dropped connection, a killed worker
    UPSTREAM_MISSING = "upstream_missing"  # an input is not there yet
    UPSTREAM_UNAVAILABLE = "upstream_unavailable"  # a source answers 429 or 503
    SINK_UNAVAILABLE = "sink_unavailable"  # catalog, warehouse or store do not take what is written
    PERMISSION = "permission"
    SCHEMA_DRIFT = "schema_drift"  # contract and files, or contract and table, have grown apart
    QUALITY = "quality"  # a gate on data is closed
    COST = "cost"  # a gate on money is closed
    RESOURCE = "resource"  # memory or disk
    CODE = "code"  # the same input will fail again: a bug, a wrong contract, a wrong query
    UNKNOWN = "unknown"  # nobody has thought of it: a person looks at it


@dataclass(frozen=True, slots=True)
class Failure:
    """`error_type` is the qualified name of what was raised; `retry_after` is what the other side asked for."""

    failure_class: FailureClass
    error_type: str
    message: str
    retry_after: timedelta | None = None
