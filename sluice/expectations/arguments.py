"""Whether the arguments of an expectation are those that its type takes, and fit the columns they name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal as Number
from typing import TYPE_CHECKING

from sluice.datatypes import Boolean, DataType, Date, Decimal, Double, Integer, Json, ListOf, Struct, Text, Timestamp
from sluice.errors import did_you_mean
from sluice.expectations.vocabulary import VOCABULARY, Argument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sluice.expectations.question import Columns

_OF_TEXT = ("_regex", "_like_pattern", "_lengths_", "_parseable", "_json_schema", "_strftime_format")
_OF_NUMBERS = ("_mean_", "_median_", "_sum_", "_stdev_", "_quantile_", "_z_scores_", "_outliers", "_divergence_")
_OF_ANY = ("_null", "_to_exist", "_type")
_EXTREMES = ("expect_column_values_to_be_between", "expect_column_min_to_be_between", "expect_column_max_to_be_between")


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong, at the argument `at` (none: with the arguments as a whole)."""

    at: str | None
    problem: str
    cure: str


def wrong_arguments(expectation: str, kwargs: Mapping[str, object], columns: Columns) -> Iterator[Wrong]:
    """Yield everything that is wrong; `expectation` is in the vocabulary."""
    known = {argument.name: argument for argument in VOCABULARY[expectation]}
    for name, value in kwargs.items():
        if name not in known:
            yield Wrong(name, f"is not an argument of {expectation}.", did_you_mean(name, known))
        elif value is not None or known[name].required:
            yield from _wrong_value(known[name], value, columns)
    for name, argument in known.items():
        if argument.required and name not in kwargs:
            yield Wrong(None, f'lacks "{name}", which {expectation} needs.', f"Add {name}.")
    if "min_value" in known and kwargs.get("min_value") is None and kwargs.get("max_value") is None:
        yield Wrong(None, "has neither min_value nor max_value.", "Add at least one of them.")


def wrong_for_columns(expectation: str, kwargs: Mapping[str, object], columns: Columns) -> Iterator[Wrong]:
    """Yield where the columns' types do not fit; the arguments themselves are right."""
    for at, name in _named(kwargs):
        problem = _unfit(expectation, columns[name])
        if problem:
            yield Wrong(at, f'is "{name}", {problem}.', "Choose another column, or another expectation.")
            return
    column = kwargs.get("column")
    datatype = columns.get(str(column)) if column is not None else None
    if datatype is not None:
        yield from _unfit_values(expectation, kwargs, datatype)


def _named(kwargs: Mapping[str, object]) -> list[tuple[str, str]]:
    single = [(at, str(kwargs[at])) for at in ("column", "column_A", "column_B") if at in kwargs]
    listed = kwargs.get("column_list")
    return single or [("column_list", str(name)) for name in (listed if isinstance(listed, list) else [])]


def _wrong_value(argument: Argument, value: object, columns: Columns) -> Iterator[Wrong]:
    if argument.kind == "column" and isinstance(value, str):
        yield from _unknown(argument.name, [value], columns)
        return
    if argument.kind == "columns" and _is_texts(value):
        yield from _unknown(argument.name, value if isinstance(value, list) else [], columns)
        return
    noun = _noun_unless_right(argument.kind, value)
    if noun:
        yield Wrong(argument.name, f"is {_shown(value)}, but must be {noun}.", f"Write {noun}.")


def _unknown(at: str, names: list[str], columns: Columns) -> Iterator[Wrong]:
    for name in names:
        if name not in columns:
            yield Wrong(at, f'"{name}" is not a column.', did_you_mean(name, columns))


def _noun_unless_right(kind: str, value: object) -> str | None:  # noqa: C901, PLR0911  one line for each kind
    is_number = isinstance(value, int | float | Number) and not isinstance(value, bool)
    match kind:
        case "column":
            return "the name of a column"
        case "columns":
            return "a list of columns"
        case "flag":
            return None if isinstance(value, bool) else "true or false"
        case "whole":
            return None if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
        case "number":
            return None if is_number else "a number"
        case "share":
            right = isinstance(value, int | float | Number) and is_number and 0 <= value <= 1
            return None if right else "a number between 0 and 1"
        case "text":
            return None if isinstance(value, str) else "text"
        case "texts":
            return None if _is_texts(value) else "a list of texts"
        case "values":
            return (
                None if isinstance(value, list) and value and all(_is_plain(v) for v in value) else "a list of values"
            )
        case "limit":
            return None if is_number or _is_instant(value) else "a number, or a date such as 2026-11-01"
        case "pairs":
            return None if _is_pairs(value) else "a list of pairs of values"
        case "quantiles":
            return (
                None
                if _is_quantiles(value)
                else "{quantiles: [0.5], value_ranges: [[1, 9]]}, a range for each quantile"
            )
        case "any":
            return None
        case choices:
            return None if value in choices.split("|") else f"one of {', '.join(choices.split('|'))}"


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | bool | int | float | Number)


def _is_pairs(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, list) and len(item) == 2 for item in value)  # noqa: PLR2004


def _is_quantiles(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"quantiles", "value_ranges"}:
        return False
    shares, ranges = value["quantiles"], value["value_ranges"]
    return (
        _is_pairs(ranges)
        and isinstance(shares, list)
        and len(shares) == len(ranges)
        and all(_noun_unless_right("share", share) is None for share in shares)
        and all(item is None or _noun_unless_right("number", item) is None for pair in ranges for item in pair)
    )


def _is_date(value: object) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _is_instant(value: object) -> bool:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _unfit(expectation: str, datatype: DataType) -> str | None:
    """Say why no value of the type can be judged by the expectation."""
    if any(part in expectation for part in _OF_ANY):
        return None
    if isinstance(datatype, Struct | ListOf):
        return "which holds nested values"
    if any(part in expectation for part in _OF_TEXT) and not isinstance(datatype, Text | Json):
        return "which holds no text"
    numeric = isinstance(datatype, Integer | Decimal | Double)
    if any(part in expectation for part in _OF_NUMBERS) and not numeric:
        return "which holds no numbers"
    if expectation in _EXTREMES and not (numeric or isinstance(datatype, Date | Timestamp)):
        return "which holds neither numbers nor dates"
    return None


def _unfit_values(expectation: str, kwargs: Mapping[str, object], datatype: DataType) -> Iterator[Wrong]:
    names = ("value_set", "min_value", "max_value") if expectation in _EXTREMES else ("value_set",)
    for name in names:
        value = kwargs.get(name)
        for item in value if isinstance(value, list) else [value]:
            noun = None if item is None else _noun_unless_value(item, datatype)
            if noun:
                yield Wrong(name, f"holds {_shown(item)}, but the column holds {noun}.", f"Write {noun}.")
    if expectation not in _EXTREMES:
        for name in ("min_value", "max_value"):
            if isinstance(kwargs.get(name), str):
                yield Wrong(name, f"is {_shown(kwargs[name])}, but must be a number.", "Write a number.")


def _noun_unless_value(value: object, datatype: DataType) -> str | None:
    match datatype:
        case Integer() | Decimal() | Double():
            right = isinstance(value, int | float | Number) and not isinstance(value, bool)
            return None if right else "numbers"
        case Boolean():
            return None if isinstance(value, bool) else "true or false"
        case Date():
            return None if _is_date(value) else "dates such as 2026-11-01"
        case Timestamp():
            return None if _is_instant(value) else "instants such as 2026-11-01T00:00:00Z"
        case _:
            return None if isinstance(value, str) else "texts"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return "a list or mapping" if isinstance(value, list | dict) else str(value)
