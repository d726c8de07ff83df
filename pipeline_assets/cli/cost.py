"""`sluice cost`: what datasets have spent this month, what is left, and what was wasted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline_assets.cli.environment import open_environment
from pipeline_assets.cli.output import AsJson, Cell, Column, print_json, print_table, say
from sluice.cost.money import usd_text

if TYPE_CHECKING:
    from sluice.cost.report import CostRow

COLUMNS = [
    Column("dataset", folds=True),
    Column("spent", number=True),
    Column("reserved", number=True),
    Column("forecast", number=True),
    Column("limit", number=True),
    Column("left", number=True),
    Column("failures", number=True),
    Column("healing", number=True),
    Column("estimates off by", number=True, folds=True),
]
DEAREST_COLUMNS = [Column("partition"), Column("runs", number=True), Column("USD", number=True)]


def cost(
    *,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset; shows its dearest partitions, too.")] = None,
    month: Annotated[str | None, typer.Option(help="A month as 2026-11 (UTC).  [default: this month]")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is spent, reserved, foreseen and left in US dollars, and what failures and healing cost."""
    from sluice.cost.report import cost_report

    environment = open_environment()
    now = environment.clock.now()
    names = environment.contracts if dataset is None else [environment.contract(dataset).dataset]
    rows = cost_report(
        environment.ledger.spends(dataset),
        {name: environment.contracts[name] for name in names},
        now,
        f"{now:%Y-%m}" if month is None else _checked(month),
        environment.prices,
    )
    if as_json:
        print_json(_fields(row) for row in rows)
    else:
        _print(rows, of_one=dataset is not None)


def _checked(month: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month) or month.startswith("0000"):
        raise typer.BadParameter(f'"{month}" is no month; write it as 2026-11.', param_hint="--month")
    return month


def _print(rows: Sequence[CostRow], *, of_one: bool) -> None:
    if not rows:
        say("No dataset is declared.")
        return
    print_table(COLUMNS, [_cells(row) for row in rows], title=f"US dollars in {rows[0].month}")
    for row in rows if of_one else ():
        _print_details(row)


def _print_details(row: CostRow) -> None:
    if row.dearest:
        cells: list[list[Cell]] = [[item.partition, item.runs, usd_text(item.usd)] for item in row.dearest]
        print_table(DEAREST_COLUMNS, cells, title="Dearest partitions")
    say(f"Forecast: {row.forecast.method}.")
    if row.limits.monthly_origin:
        say(f"Limit: {row.limits.monthly_origin}.")
    if row.limits.healing_origin:
        limit, left = row.limits.healing_monthly_usd, row.healing_left_usd
        amounts = "" if limit is None or left is None else f"{usd_text(limit)} a month, {usd_text(left)} left; "
        say(f"Healing limit: {amounts}{row.limits.healing_origin}.")
    engines = ", ".join(f"{engine} {usd_text(usd)}" for engine, usd in row.by_engine.items())
    say(f"The builds of the month on each engine: {engines}. Priced as {row.engine}.")


def _cells(row: CostRow) -> list[Cell]:
    limit, left = row.limits.monthly_usd, row.left_usd
    return [
        row.dataset,
        usd_text(row.spent_usd),
        usd_text(row.reserved_usd),
        usd_text(row.forecast.usd),
        "" if limit is None else usd_text(limit),
        _left(left, over=limit is not None and row.forecast.usd > limit),
        usd_text(row.failures_usd),
        usd_text(row.healing_usd),
        "" if row.estimates.median_share is None else f"{row.estimates.median_share * 100:,.0f} %",
    ]


def _left(left: float | None, *, over: bool) -> Cell:
    """Red when nothing is left, yellow when the forecast exceeds the limit."""
    if left is None:
        return None
    return Text(usd_text(left), style="red" if left <= 0 else "yellow" if over else "green")


def _fields(row: CostRow) -> dict[str, object]:
    return {
        "dataset": row.dataset,
        "month": row.month,
        "engine": str(row.engine),
        "spent_usd": row.spent_usd,
        "reserved_usd": row.reserved_usd,
        "forecast_usd": row.forecast.usd,
        "forecast_method": row.forecast.method,
        "limit_usd": row.limits.monthly_usd,
        "limit_from": row.limits.monthly_origin or None,
        "left_usd": row.left_usd,
        "failures_usd": row.failures_usd,
        "healing_usd": row.healing_usd,
        "healing_reserved_usd": row.healing_reserved_usd,
        "healing_limit_usd": row.limits.healing_monthly_usd,
        "healing_limit_from": row.limits.healing_origin or None,
        "healing_left_usd": row.healing_left_usd,
        "dearest_partitions": [
            {"partition": item.partition, "usd": item.usd, "runs": item.runs} for item in row.dearest
        ],
        "builds_estimated": row.estimates.builds,
        "estimate_error": row.estimates.median_share,
        "estimate_bias": row.estimates.bias,
        "usd_by_engine": {str(engine): usd for engine, usd in row.by_engine.items()},
    }
