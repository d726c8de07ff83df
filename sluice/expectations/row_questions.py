"""Expectations on each value, pair or combination: a share of them, `mostly`, has to meet a condition."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sluice.expectations.question import BATCH, Answer, Columns, Kwargs, Question
from sluice.expectations.sql_values import literal, literals
from sluice.sql_types import quote_identifier as quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def not_null(kwargs: Kwargs, _: Columns) -> Question:
    return _nullity(kwargs, f"{quoted(kwargs['column'])} IS NULL")


def null(kwargs: Kwargs, _: Columns) -> Question:
    return _nullity(kwargs, f"{quoted(kwargs['column'])} IS NOT NULL")


def in_set(kwargs: Kwargs, columns: Columns) -> Question:
    return _values(kwargs, _is_in_set(kwargs, columns))


def not_in_set(kwargs: Kwargs, columns: Columns) -> Question:
    return _values(kwargs, f"NOT ({_is_in_set(kwargs, columns)})")


def between(kwargs: Kwargs, columns: Columns) -> Question:
    column = kwargs["column"]
    return _values(kwargs, within(quoted(column), kwargs, lambda value: literal(value, columns[column])))


def lengths_between(kwargs: Kwargs, _: Columns) -> Question:
    return _values(kwargs, within(f"length({quoted(kwargs['column'])})", kwargs, literal))


def lengths_equal(kwargs: Kwargs, _: Columns) -> Question:
    return _values(kwargs, f"length({quoted(kwargs['column'])}) = {literal(kwargs['value'])}")


def unique(kwargs: Kwargs, _: Columns) -> Question:
    """Every one of several equal values is unexpected, the first as well."""
    column = quoted(kwargs["column"])
    groups = f"FROM {BATCH} WHERE {column} IS NOT NULL GROUP BY {column}"
    repeated = f"{column} IN (SELECT {column} {groups} HAVING count(*) > 1)"
    measures = ("count(*)", f"count({column})", _repeated_records(groups))
    return _share_of(kwargs, measures, repeated, (kwargs["column"],))


def matches_regex(kwargs: Kwargs, _: Columns) -> Question:
    return _values(kwargs, _match(kwargs, kwargs["regex"]))


def matches_no_regex(kwargs: Kwargs, _: Columns) -> Question:
    return _values(kwargs, f"NOT {_match(kwargs, kwargs['regex'])}")


def matches_regexes(kwargs: Kwargs, _: Columns) -> Question:
    word = " AND " if kwargs.get("match_on") == "all" else " OR "
    return _values(kwargs, word.join(_match(kwargs, regex) for regex in kwargs["regex_list"]))


def matches_none_of_regexes(kwargs: Kwargs, _: Columns) -> Question:
    return _values(kwargs, " AND ".join(f"NOT {_match(kwargs, regex)}" for regex in kwargs["regex_list"]))


def is_like(kwargs: Kwargs, _: Columns) -> Question:
    return _values(kwargs, _like(kwargs, kwargs["like_pattern"]))


def is_not_like(kwargs: Kwargs, _: Columns) -> Question:
    return _values(kwargs, f"NOT ({_like(kwargs, kwargs['like_pattern'])})")


def is_like_patterns(kwargs: Kwargs, _: Columns) -> Question:
    word = " AND " if kwargs.get("match_on") == "all" else " OR "
    return _values(kwargs, word.join(_like(kwargs, pattern) for pattern in kwargs["like_pattern_list"]))


def is_like_none_of_patterns(kwargs: Kwargs, _: Columns) -> Question:
    return _values(kwargs, " AND ".join(f"NOT ({_like(kwargs, item)})" for item in kwargs["like_pattern_list"]))


def pair_equal(kwargs: Kwargs, _: Columns) -> Question:
    return _pair(kwargs, "=")


def pair_greater(kwargs: Kwargs, _: Columns) -> Question:
    return _pair(kwargs, ">=" if kwargs.get("or_equal") else ">")


def compound_unique(kwargs: Kwargs, _: Columns) -> Question:
    names = kwargs["column_list"]
    listed = ", ".join(quoted(name) for name in names)
    rule = kwargs.get("ignore_row_if", "all_values_are_missing")
    considered = _considered(names, rule)
    groups = f"FROM {BATCH} WHERE {considered} GROUP BY {listed}"
    same = " AND ".join(f"batch.{quoted(name)} IS NOT DISTINCT FROM repeated.{quoted(name)}" for name in names)
    several = f"SELECT {listed} {groups} HAVING count(*) > 1"
    repeated = f"{considered} AND EXISTS (SELECT 1 FROM ({several}) AS repeated WHERE {same})"
    measures = ("count(*)", f"count(*) FILTER (WHERE {considered})", _repeated_records(groups))
    return replace(_share_of(kwargs, measures, repeated, tuple(names)), labelled=True)


def within(expression: str, kwargs: Kwargs, as_literal: Callable[[object], str]) -> str:
    """Return the condition of `min_value`, `max_value`, `strict_min` and `strict_max`."""
    lower, upper = kwargs.get("min_value"), kwargs.get("max_value")
    conditions = []
    if lower is not None:
        conditions.append(f"{expression} {'>' if kwargs.get('strict_min') else '>='} {as_literal(lower)}")
    if upper is not None:
        conditions.append(f"{expression} {'<' if kwargs.get('strict_max') else '<='} {as_literal(upper)}")
    return " AND ".join(conditions) or "true"


def _is_in_set(kwargs: Kwargs, columns: Columns) -> str:
    column = kwargs["column"]
    listed = literals(kwargs["value_set"], columns[column])
    return f"{quoted(column)} IN ({listed})" if listed else "false"


def _match(kwargs: Kwargs, regex: str) -> str:
    return f"regexp_matches({quoted(kwargs['column'])}, {literal(regex)})"


def _like(kwargs: Kwargs, pattern: str) -> str:
    escape = f" ESCAPE {literal(kwargs['escape'])}" if kwargs.get("escape") else ""
    return f"{quoted(kwargs['column'])} LIKE {literal(pattern)}{escape}"


def _values(kwargs: Kwargs, condition: str) -> Question:
    column = quoted(kwargs["column"])
    unexpected = f"{column} IS NOT NULL AND ({condition}) IS NOT TRUE"
    measures = ("count(*)", f"count({column})", f"count(*) FILTER (WHERE {unexpected})")
    return _share_of(kwargs, measures, unexpected, (kwargs["column"],))


def _pair(kwargs: Kwargs, operator: str) -> Question:
    names = (kwargs["column_A"], kwargs["column_B"])
    considered = _considered(names, kwargs.get("ignore_row_if", "both_values_are_missing"))
    condition = f"{quoted(names[0])} {operator} {quoted(names[1])}"
    unexpected = f"{considered} AND ({condition}) IS NOT TRUE"
    counted = [f"count(*) FILTER (WHERE {item})" for item in (considered, unexpected)]
    return _share_of(kwargs, ("count(*)", *counted), unexpected, names)


def _considered(names: Sequence[str], rule: str) -> str:
    tests = [f"{quoted(name)} IS NOT NULL" for name in names]
    if rule in {"both_values_are_missing", "all_values_are_missing"}:
        return f"({' OR '.join(tests)})"
    if rule in {"either_value_is_missing", "any_value_is_missing"}:
        return f"({' AND '.join(tests)})"
    return "true"


def _repeated_records(groups: str) -> str:
    return f"(SELECT coalesce(sum(n) FILTER (WHERE n > 1), 0)::BIGINT FROM (SELECT count(*) AS n {groups}))"


def _share_of(kwargs: Kwargs, measures: tuple[str, ...], unexpected: str, shown: tuple[str, ...]) -> Question:
    """`measures` are the records, those considered, and those of them that are unexpected."""
    mostly = float(kwargs.get("mostly", 1))

    def answer(values: Sequence[Any]) -> Answer:
        elements, considered, bad = (int(value) for value in values)
        success = considered == 0 or (considered - bad) / considered >= mostly
        percent = _percent(bad, considered)
        result: dict[str, object] = {
            "element_count": elements,
            "unexpected_count": bad,
            "unexpected_percent": percent,
            "partial_unexpected_list": [],
            "missing_count": elements - considered,
            "missing_percent": _percent(elements - considered, elements),
            "unexpected_percent_total": _percent(bad, elements),
            "unexpected_percent_nonmissing": percent,
        }
        return Answer(success, result, bad)

    return Question(measures, answer, unexpected, shown)


def _nullity(kwargs: Kwargs, unexpected: str) -> Question:
    """A missing value is itself the matter here, so all records are considered."""
    mostly = float(kwargs.get("mostly", 1))

    def answer(values: Sequence[Any]) -> Answer:
        elements, bad = (int(value) for value in values)
        result: dict[str, object] = {
            "element_count": elements,
            "unexpected_count": bad,
            "unexpected_percent": _percent(bad, elements),
            "partial_unexpected_list": [],
        }
        return Answer(elements == 0 or (elements - bad) / elements >= mostly, result, bad)

    return Question(("count(*)", f"count(*) FILTER (WHERE {unexpected})"), answer, unexpected, (kwargs["column"],))


def _percent(part: int, whole: int) -> float | None:
    return part / whole * 100 if whole else None
