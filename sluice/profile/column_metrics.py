"""The metrics of columns, all in one query that reads no other columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sluice.datatypes import Date, Decimal, Timestamp
from sluice.profile.staged_rows import STAGED
from sluice.sql_types import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from duckdb import DuckDBPyConnection

    from sluice.contract import Column, Contract
    from sluice.gate_rules import Metric

NULL_SHARE = "null_share"
_SAFE_PRECISION = 28  # of 38 digits: ten billion such numbers can be added


def column_metrics_of(contract: Contract) -> tuple[Metric, ...]:
    return tuple(expected.metric for expected in contract.gates.metrics if expected.metric.column)


def limited_columns(contract: Contract) -> tuple[str, ...]:
    """Return the columns whose nulls count for something."""
    required = [column.name for column in contract.columns if column.required]
    limited = [name for name, _ in contract.gates.max_null_shares]
    asked = [metric.column for metric in column_metrics_of(contract) if metric.kind == NULL_SHARE and metric.column]
    return tuple(dict.fromkeys([*required, *limited, *asked]))


def query_columns(
    connection: DuckDBPyConnection, contract: Contract, metrics: Iterable[Metric], nulls_of: Iterable[str]
) -> tuple[Mapping[str, float], Mapping[str, int]]:
    """Return the metrics that have a finite value, and the nulls of the columns named."""
    aggregates = {str(metric): _aggregate(metric.kind, contract.column(metric.column or "")) for metric in metrics}
    null_counts = {name: f"count(*) - count({quote_identifier(name)})" for name in nulls_of}
    asked = [*aggregates.values(), *null_counts.values()]
    answers = connection.execute(f"SELECT {', '.join(asked)} FROM {STAGED}").fetchall()[0]
    measured = dict(zip(aggregates, answers, strict=False))
    counted = dict(zip(null_counts, answers[len(aggregates) :], strict=True))
    values = {name: float(value) for name, value in measured.items() if value is not None}
    return {name: value for name, value in values.items() if math.isfinite(value)}, counted


def _aggregate(kind: str, column: Column) -> str:
    name = quote_identifier(column.name)
    match kind:
        case "distinct_count":
            return f"count(DISTINCT {name})"
        case "mean" | "sum":
            function = {"mean": "avg", "sum": "sum"}[kind]
            return f"{function}({_addable(name, column)})"
        case "minimum" | "maximum":
            extreme = f"{kind[:3]}({name})"
            return f"epoch({extreme})" if isinstance(column.type, Date | Timestamp) else extreme
        case _:
            raise ValueError(kind)  # the contract's reader lets no other kind through


def _addable(name: str, column: Column) -> str:
    """Decimals are added exactly unless their sum might not fit: DuckDB raises then."""
    is_wide = isinstance(column.type, Decimal) and column.type.precision > _SAFE_PRECISION
    return f"CAST({name} AS DOUBLE)" if is_wide else name
