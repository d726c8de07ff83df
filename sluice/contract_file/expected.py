"""Where a contract expects metrics to lie: of `row_count_is_expected`, and each of `metrics_are_expected`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract_file.gate_settings import LimitSettings, MetricSettings, RowCountSettings, validated
from sluice.errors import did_you_mean
from sluice.gate_rules import Expected, Metric
from sluice.profile.metric_kinds import METRIC_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.contract import Column
    from sluice.contract_file.place import Place

ROW_COUNT = Metric("row_count")
_FIXED = ("minimum", "maximum")


def read_row_count(settings: RowCountSettings | None, place: Place) -> Expected:
    return Expected(ROW_COUNT) if settings is None else _expected(ROW_COUNT, settings, place)


def read_metrics(
    value: object, place: Place, columns: Sequence[Column], declared: Sequence[str]
) -> tuple[Expected, ...]:
    """Return one entry per metric; `declared` also has the columns that were refused."""
    if not isinstance(value, list) or not value:
        place.refuse("names no metric.", f"Write a list such as [{{metric: mean, column: {_any(columns)}}}].")
        return ()
    read: dict[str, Expected] = {}
    for index, item in enumerate(value):
        settings = validated(MetricSettings, item, place[index])
        metric = _metric(settings, place[index], columns, declared) if settings else None
        if settings is None or metric is None:
            continue
        if metric == ROW_COUNT:
            place[index]["metric"].refuse(
                "is row_count, which has a gate of its own.", "Set its limits in row_count_is_expected."
            )
        elif str(metric) in read:
            place[index]["metric"].refuse(
                f"names {metric} a second time.", "Put all limits of a metric into one entry."
            )
        else:
            read[str(metric)] = _expected(metric, settings, place[index])
    return tuple(read.values())


def _expected(metric: Metric, settings: LimitSettings, place: Place) -> Expected:
    _check(settings, place)
    usual = Expected(metric)
    return Expected(
        metric,
        minimum=settings.minimum,
        maximum=settings.maximum,
        within=settings.within,
        sensitivity=usual.sensitivity if settings.sensitivity is None else settings.sensitivity,
        minimum_history=usual.minimum_history if settings.minimum_history is None else settings.minimum_history,
    )


def _check(settings: LimitSettings, place: Place) -> None:
    """Refuse limits that contradict each other, and those that would count for nothing beside others."""
    low, high = settings.minimum, settings.maximum
    fixed = [name for name in _FIXED if getattr(settings, name) is not None]
    if low is not None and high is not None and low > high:
        place["minimum"].refuse(f"is {low:,g}, above the maximum {high:,g}.", "Exchange the two.")
    needless = {
        "within": fixed,
        "sensitivity": fixed or ([] if settings.within is None else ["within"]),
        "minimum_history": fixed,
    }
    for name, others in needless.items():
        if getattr(settings, name) is not None and others:
            cure = f"Leave out {name}, or {' and '.join(others)}."
            place[name].refuse(f"counts for nothing beside {' and '.join(others)}.", cure)


def _metric(
    settings: MetricSettings, place: Place, columns: Sequence[Column], declared: Sequence[str]
) -> Metric | None:
    kind, column = METRIC_KINDS.get(settings.metric), settings.column
    if kind is None:
        place["metric"].refuse(
            f'is "{settings.metric}", which is no metric.', did_you_mean(settings.metric, METRIC_KINDS)
        )
    elif not kind.needs_column and column is not None:
        place["column"].refuse(f"is given, but {settings.metric} is of the whole partition.", "Leave it out.")
    elif kind.needs_column and column is None:
        place["column"].refuse("is missing.", f"Write the column whose {settings.metric} is meant.")
    elif column is not None and column not in declared:
        place["column"].refuse(f'"{column}" is not a column.', did_you_mean(column, declared))
    else:
        _check_type(settings.metric, next((item for item in columns if item.name == column), None), place["column"])
        return Metric(settings.metric, column)
    return None


def _check_type(kind: str, column: Column | None, place: Place) -> None:
    if column is not None and not isinstance(column.type, METRIC_KINDS[kind].column_types):
        fitting = [name for name, other in METRIC_KINDS.items() if isinstance(column.type, other.column_types)]
        problem = f'"{column.name}" is a column of {type(column.type).__name__.lower()} values, which have no {kind}.'
        place.refuse(problem, f"Metrics of this column: {', '.join(fitting)}.")


def _any(columns: Sequence[Column]) -> str:
    return columns[0].name if columns else "amount"
