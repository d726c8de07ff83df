"""What a contract says about money, time and files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Engine(StrEnum):
    """Where a transform runs, and so what a second of it costs."""

    LOCAL = "local"
    FARGATE = "fargate"
    GLUE = "glue"


@dataclass(frozen=True, slots=True)
class Limit:
    """A fixed limit, or one learned from history: its robust `quantile` times `factor`."""

    fixed: float | None = None
    quantile: float = 0.9
    factor: float = 3.0
    minimum_history: int = 10


@dataclass(frozen=True, slots=True)
class ReferenceQuery:
    """A query that consumers really ask, in which `{date}` is the partition; its scan may cost so much."""

    name: str
    sql: str
    max_usd: float | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class CostRules:
    """The contract's `cost`. No limit means no limit.

    Work on a local machine is priced as `engine` prices it, so that a budget means the same before and after a move.
    """

    engine: Engine = Engine.FARGATE
    region: str = "us-east-1"
    monthly_usd: Limit | None = None
    healing_monthly_usd: Limit | None = None
    runtime_seconds: Limit | None = None
    queries: tuple[ReferenceQuery, ...] = ()
    min_file_bytes: int = 16_000_000
    max_file_bytes: int = 1_000_000_000
