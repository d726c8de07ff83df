"""Expectations on one number of a column or of the table, on the set of a column's values, and on the columns."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from sluice.expectations.question import BATCH, Answer, Columns, Kwargs, Question
from sluice.expectations.row_questions import within
from sluice.expectations.sql_values import literal, literals
from sluice.sql_types import duckdb_type
from sluice.sql_types import quote_identifier as quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_TOLERANCE = "0.0001"
"""How far, as a share of the limit, a quantile may lie outside its limits; Great Expectations has the same."""


def aggregate(expression: str) -> Callable[[Kwargs, Columns], Question]:
    """Return the question whether an aggregate of a column, written with {column}, lies between limits."""

    def ask(kwargs: Kwargs, _: Columns) -> Question:
        return _number(expression.format(column=quoted(kwargs["column"])), kwargs, literal)

    return ask


def extreme(function: str) -> Callable[[Kwargs, Columns], Question]:
    """Return the question about min or max, whose limits are values of the column's type."""

    def ask(kwargs: Kwargs, columns: Columns) -> Question:
        column = kwargs["column"]
        return _number(f"{function}({quoted(column)})", kwargs, lambda value: literal(value, columns[column]))

    return ask


def row_count_between(kwargs: Kwargs, _: Columns) -> Question:
    return _number("count(*)", kwargs, literal)


def row_count_equals(kwargs: Kwargs, _: Columns) -> Question:
    return _number("count(*)", {"min_value": kwargs["value"], "max_value": kwargs["value"]}, literal)


def quantiles_between(kwargs: Kwargs, _: Columns) -> Question:
    """Asks for the value nearest to a quantile, not for one in between: that is what pandas is asked for as well."""
    column, ranges = quoted(kwargs["column"]), kwargs["quantile_ranges"]
    quantiles, limits = [float(item) for item in ranges["quantiles"]], ranges["value_ranges"]
    ordered = f"list({column} ORDER BY {column}) FILTER (WHERE {column} IS NOT NULL)"
    places = [f"CAST(round_even({item!r} * (count({column}) - 1), 0) AS BIGINT) + 1" for item in quantiles]
    values = tuple(f"({ordered})[{place}]" for place in places)

    def answer(found: Sequence[Any]) -> Answer:
        details = [_is_between(value, *pair) for value, pair in zip(found, limits, strict=True)]
        observed = {"quantiles": quantiles, "values": list(found)}
        return Answer(all(details), {"observed_value": observed, "details": {"success_details": details}})

    return Question(values, answer)


def distinct_in_set(kwargs: Kwargs, columns: Columns) -> Question:
    return _distinct(kwargs, columns, unexpected=True, missing=False)


def distinct_contain_set(kwargs: Kwargs, columns: Columns) -> Question:
    return _distinct(kwargs, columns, unexpected=False, missing=True)


def distinct_equal_set(kwargs: Kwargs, columns: Columns) -> Question:
    return _distinct(kwargs, columns, unexpected=True, missing=True)


def column_exists(kwargs: Kwargs, columns: Columns) -> Question:
    column, index = kwargs["column"], kwargs.get("column_index")
    names = list(columns)
    success = column in names if index is None else names[index : index + 1] == [column]
    return _known(Answer(success, {}))


def column_has_type(kwargs: Kwargs, columns: Columns) -> Question:
    return _type_among(kwargs["column"], [kwargs["type_"]], columns)


def column_has_one_of_types(kwargs: Kwargs, columns: Columns) -> Question:
    return _type_among(kwargs["column"], kwargs.get("type_list"), columns)


def column_count_between(kwargs: Kwargs, columns: Columns) -> Question:
    lower, upper = kwargs.get("min_value"), kwargs.get("max_value")
    count = len(columns)
    success = (lower is None or count >= lower) and (upper is None or count <= upper)
    return _known(Answer(success, {"observed_value": count}))


def column_count_equals(kwargs: Kwargs, columns: Columns) -> Question:
    return _known(Answer(len(columns) == kwargs["value"], {"observed_value": len(columns)}))


def columns_are_set(kwargs: Kwargs, columns: Columns) -> Question:
    expected, found = set(kwargs.get("column_set") or ()), set(columns)
    exact = kwargs.get("exact_match", True)
    unexpected, missing = sorted(found - expected), sorted(expected - found)
    mismatched = {name: names for name, names in (("unexpected", unexpected), ("missing", missing)) if names}
    result: dict[str, object] = {"observed_value": sorted(found)}
    if mismatched:
        result["details"] = {"mismatched": mismatched}
    return _known(Answer(not missing and not (exact and unexpected), result))


def columns_are_list(kwargs: Kwargs, columns: Columns) -> Question:
    expected, found = kwargs.get("column_list"), list(columns)
    result: dict[str, object] = {"observed_value": found}
    pairs = enumerate(zip_longest(found if expected is None else expected, found))
    mismatched = [{"Expected Column Position": i, "Expected": e, "Found": f} for i, (e, f) in pairs if e != f]
    if mismatched:
        result["details"] = {"mismatched": mismatched}
    return _known(Answer(not mismatched, result))


def _number(expression: str, kwargs: Kwargs, as_literal: Callable[[object], str]) -> Question:
    def answer(values: Sequence[Any]) -> Answer:
        observed, lies_within = values
        return Answer(observed is not None and bool(lies_within), {"observed_value": observed})

    return Question((expression, within(f"({expression})", kwargs, as_literal)), answer)


def _is_between(value: Any, lower: Any, upper: Any) -> bool:  # noqa: ANN401  numbers of several exact types
    if value is None:
        return False
    number = float(value)
    low = float("-inf") if lower is None else float(lower)
    high = float("inf") if upper is None else float(upper)
    return low <= number <= high or any(_is_close(number, limit) for limit in (low, high))


def _is_close(number: float, limit: float) -> bool:
    return abs(number - limit) <= float(_TOLERANCE) * abs(limit) if abs(limit) != float("inf") else False


def _distinct(kwargs: Kwargs, columns: Columns, *, unexpected: bool, missing: bool) -> Question:
    column, datatype = quoted(kwargs["column"]), columns[kwargs["column"]]
    listed = literals(kwargs["value_set"], datatype)
    outside = f"{column} IS NOT NULL AND {column} NOT IN ({listed})"
    measures = (
        f"count(DISTINCT {column}) FILTER (WHERE {outside})",
        f"len(list_distinct([{listed}])) - count(DISTINCT {column}) FILTER (WHERE {column} IN ({listed}))",
        f"count(*) FILTER (WHERE {outside})",
    )
    lists = {
        "partial_unexpected_list": f"SELECT DISTINCT {column} FROM {BATCH} WHERE {outside} ORDER BY 1",
        "partial_missing_list": f"SELECT value FROM (SELECT unnest(list_distinct([{listed}])) AS value)"
        f" WHERE value NOT IN (SELECT {column} FROM {BATCH} WHERE {column} IS NOT NULL) ORDER BY 1",
    }

    def answer(values: Sequence[Any]) -> Answer:
        foreign, absent, records = (int(value) for value in values)
        result: dict[str, object] = {"observed_value": None}
        if unexpected:
            result |= {"unexpected_count": foreign, "partial_unexpected_list": []}
        if missing:
            result |= {"missing_count": absent, "partial_missing_list": []}
        success = not (unexpected and foreign) and not (missing and absent)
        return Answer(success, result, records if unexpected else None)

    wanted = {"partial_unexpected_list": unexpected, "partial_missing_list": missing}
    chosen = {name: query for name, query in lists.items() if wanted[name]}
    return Question(measures, answer, outside if unexpected else None, (kwargs["column"],), lists=chosen)


def _type_among(column: str, names: Sequence[str] | None, columns: Columns) -> Question:
    """Types are called as DuckDB calls them; VARCHAR, DECIMAL(10,2), TIMESTAMPTZ."""
    found = duckdb_type(columns[column])
    success = names is None or found.upper() in {_type_name(name) for name in names}
    return _known(Answer(success, {"observed_value": found}))


def _type_name(name: str) -> str:
    return name.upper().replace(" ", "").replace("TIMESTAMPWITHTIMEZONE", "TIMESTAMPTZ")


def _known(answer: Answer) -> Question:
    return Question((), lambda _: answer)
