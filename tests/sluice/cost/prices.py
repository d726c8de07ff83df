"""A price book of round numbers, and spends to judge by."""

from __future__ import annotations

from datetime import UTC, datetime

from sluice.contract import Column, Contract, FileFormat, Source
from sluice.cost.budget import Estimate, Purpose, Request, Spend, SpendState
from sluice.cost.price_book import parse
from sluice.cost.rules import CostRules
from sluice.datatypes import Decimal, Field, Integer, Struct, Text

BOOK_TEXT = """\
as_of: 2026-03-31
source: made up
sizes:
  local: {usd_per_hour: 0.36}
  fargate: {vcpu: 2, gb: 4, minimum_seconds: 60}
  glue: {dpu: 2, minimum_seconds: 60}
  athena: {minimum_mb: 10}
regions:
  us-east-1:
    fargate: {usd_per_vcpu_hour: 1, usd_per_gb_hour: 0.4}
    glue: {usd_per_dpu_hour: 18}
    athena: {usd_per_tb: 5}
    s3: {usd_per_1000_put: 1, usd_per_1000_get: 0.1, usd_per_gb_month: 0.02}
"""
BOOK = parse(BOOK_TEXT, "prices.yaml")

COLUMNS = (
    Column("order_id", Integer()),
    Column("amount", Decimal(12, 2)),
    Column("shipTo", Struct((Field("city", Text()),))),
)


def contract_with(**rules: object) -> Contract:
    return Contract(
        "orders",
        "1.0.0",
        COLUMNS,
        source=Source("orders/{date}/*", FileFormat.JSONL),
        cost=CostRules(**rules),  # type: ignore[arg-type]  # keywords of CostRules
        path="orders/contract.yaml",
    )


def spend(
    *,
    day: str = "2026-11-03",
    partition: str = "",
    state: SpendState = SpendState.PUBLISHED,
    purpose: Purpose = Purpose.BUILD,
    mb: float = 10.0,
    estimated_seconds: float = 1.0,
    estimated_usd: float = 1.0,
    seconds: float | None = 1.0,
    usd: float | None = 1.0,
    dataset: str = "orders",
) -> Spend:
    """Return what was spent on a day, in its month."""
    estimate = Estimate(estimated_seconds, int(mb * 1_000_000), 1, estimated_usd)
    request = Request(dataset, partition or day, "f-c-1", "run", day[:7], purpose, estimate)
    at = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)
    if state is SpendState.RESERVED:
        return Spend(request, state, at)
    return Spend(request, state, at, at, seconds, usd)
