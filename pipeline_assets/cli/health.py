"""`sluice health`: how fast failures are noticed and healed, how often without a person, and for how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline_assets.cli.environment import open_environment
from pipeline_assets.cli.output import AsJson, Cell, Column, print_json, print_table
from sluice.cost.money import usd_text

if TYPE_CHECKING:
    from sluice.healing.health import Health, Times

COLUMNS = [
    Column("dataset", folds=True),
    Column("incidents", number=True),
    Column("open", number=True, folds=True),
    Column("noticed after", number=True, folds=True),
    Column("resolved after", number=True, folds=True),
    Column("healed", number=True),
    Column("retries", number=True),
    Column("quarantined", number=True),
    Column("USD", number=True),
]


def health(
    *,
    days: Annotated[int, typer.Option(min=1, max=3650, help="The last so many days.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show how fast failures are noticed and resolved, the share healed without a person, and what healing cost."""
    from sluice.healing.health import health as measure_health

    environment = open_environment()
    ledger = environment.ledger
    found = measure_health(ledger.incidents(), ledger.all_published(), ledger.spends(), environment.clock.now(), days)
    if as_json:
        print_json(_fields(item, days) for item in found)
    else:
        title = f"The last {days} days; times are medians, below them the 95th percentile"
        print_table(COLUMNS, [_row(item) for item in found], title=title)


def _row(item: Health) -> list[Cell]:
    return [
        Text("all", style="bold") if item.dataset is None else item.dataset,
        item.incidents,
        Text(_open(item), style="red" if item.escalated_now else "yellow" if item.open_now else "green"),
        _times(item.time_to_detect),
        _times(item.time_to_resolve),
        "" if item.heal_rate is None else f"{item.heal_rate * 100:.0f} %",
        item.retries,
        item.quarantined,
        usd_text(item.healing_usd),
    ]


def _open(item: Health) -> str:
    return f"{item.open_now:,}\n{item.escalated_now:,} escalated" if item.escalated_now else f"{item.open_now:,}"


def _times(times: Times | None) -> str:
    from sluice.freshness import span_text

    return "" if times is None else f"{span_text(times.median)}\n{span_text(times.p95)}"


def _fields(item: Health, days: int) -> dict[str, object]:
    return {
        "dataset": item.dataset,
        "days": days,
        "incidents": item.incidents,
        "open": item.open_now,
        "escalated": item.escalated_now,
        "resolved": item.resolved,
        "healed": item.healed,
        "heal_rate": item.heal_rate,
        **_seconds("detect", item.time_to_detect),
        **_seconds("resolve", item.time_to_resolve),
        "retries": item.retries,
        "quarantined": item.quarantined,
        "healing_usd": item.healing_usd,
    }


def _seconds(what: str, times: Times | None) -> dict[str, float | None]:
    return {
        f"{what}_seconds_mean": None if times is None else times.mean.total_seconds(),
        f"{what}_seconds_median": None if times is None else times.median.total_seconds(),
        f"{what}_seconds_p95": None if times is None else times.p95.total_seconds(),
    }
