"""Quality rules of type library: the standard's metrics as expectations."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sluice.contract_file.quality_limit import read_limit
from sluice.errors import did_you_mean
from sluice.expectations.arguments import wrong_arguments, wrong_for_columns
from sluice.expectations.measured import Limit, Operator, as_template, rows_that_break
from sluice.expectations.rules_sql import TABLE
from sluice.expectations.sql_values import literal, literals
from sluice.sql_types import quote_identifier as quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sluice.contract_file.place import Place
    from sluice.expectations.question import Columns, Kwargs
    from sluice.expectations.rules_sql import EmptyTable

Typed = tuple[str, dict[str, Any]]
"""An expectation's type and its arguments."""

_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "nullValues": (),
    "missingValues": ("missingValues",),
    "invalidValues": ("validValues", "pattern"),
    "duplicateValues": ("properties",),
    "rowCount": (),
}
_UNITS = ("rows", "percent")
_NOTHING_TO_CHECK: Typed = ("expect_table_row_count_to_equal", {"value": 0})


@dataclass(frozen=True, slots=True)
class Metric:
    """One rule while it is being understood; `column` is the property it stands at, None for the table's own."""

    rule: Mapping[str, object]
    place: Place
    column: str | None
    table: EmptyTable

    @property
    def field(self) -> str:
        """`rule` is what the standard called it before."""
        return "metric" if "metric" in self.rule else "rule"

    @property
    def name(self) -> str:
        return str(self.rule.get(self.field))

    @property
    def arguments(self) -> Mapping[str, object]:
        arguments = self.rule.get("arguments")
        return arguments if isinstance(arguments, dict) else {}

    def expectation(self, columns: Columns) -> tuple[Typed, Limit] | None:
        """Return what is expected and the limit as it was written, or None after refusing."""
        found = len(self.place.problems)
        self._check_name()
        limit = read_limit(self.rule, self.place)
        if len(self.place.problems) > found or limit is None:
            return None
        self._check_place()
        self._check_arguments()
        if len(self.place.problems) > found:
            return None
        typed = self._typed(limit, columns)
        return typed and (typed, limit)

    def _check_name(self) -> None:
        if self.rule.get(self.field) is None:
            self.place.refuse("names no metric.", f"Write metric: one of {', '.join(_ARGUMENTS)}.")
        elif self.name not in _ARGUMENTS:
            self.place[self.field].refuse(f'"{self.name}" is not a metric.', did_you_mean(self.name, _ARGUMENTS))
        unit = self.rule.get("unit")
        if unit is not None and unit not in _UNITS:
            self.place["unit"].refuse(f'is "{unit}".', f"Write one of {', '.join(_UNITS)}.")

    def _check_place(self) -> None:
        if self.column is None and self.name not in {"rowCount", "duplicateValues"}:
            self.place[self.field].refuse(f"is {self.name}, which is about one property.", "Move it to a property.")
        if self.column is not None and self.name == "rowCount":
            self.place[self.field].refuse("is rowCount, which is about the table.", "Move it to the table's quality.")
        if self.name == "rowCount" and self.rule.get("unit") == "percent":
            self.place["unit"].refuse("is percent, but rows are not a share of anything.", "Leave it out.")

    def _check_arguments(self) -> None:
        known, here = _ARGUMENTS[self.name], self.place["arguments"]
        for name in self.arguments:
            if name not in known:
                here[name].refuse(f"is not an argument of {self.name}.", did_you_mean(name, known))
        given = [name for name in known if name in self.arguments]
        if known and len(given) != 1 and not (self.name == "duplicateValues" and self.column is not None):
            self.place.refuse(f"needs one argument of {' or '.join(known)}.", "Add it below arguments.")
        if self.name == "duplicateValues" and self.column is not None and given:
            here["properties"].refuse("is for a rule of the table.", "Move the rule to the table, or leave it out.")

    def _typed(self, limit: Limit, columns: Columns) -> Typed | None:
        exact = self._exact(limit)
        if not self._fits(exact or self._nearest(), columns):
            return None
        if exact:
            return exact
        query = rows_that_break(limit, f"SELECT {self._number(columns)} FROM {TABLE}")
        return "unexpected_rows_expectation", {"unexpected_rows_query": as_template(query, TABLE)}

    def _fits(self, typed: Typed, columns: Columns) -> bool:
        """Whether the arguments fit the columns, told by the arguments' names here and not by the expectation's."""
        found = len(self.place.problems)
        names = {"value_set": "validValues", "column_list": "properties", "regex": "pattern"}
        if self.name == "missingValues":
            names["value_set"] = "missingValues"
        wrong = list(wrong_arguments(*typed, columns)) or list(wrong_for_columns(*typed, columns))
        for item in wrong:
            here = self.place["arguments"][names[item.at]] if item.at in names else self.place
            here.refuse(item.problem, item.cure)
        pattern = self.arguments.get("pattern")
        problem = self.table.problem_with_regex(pattern) if isinstance(pattern, str) else None
        if problem:
            self.place["arguments"]["pattern"].refuse(
                f'"{pattern}" is no regular expression ({problem}).',
                "Patterns are RE2: no look-ahead, no look-behind, no back-references.",
            )
        return len(self.place.problems) == found

    def _nearest(self) -> Typed:
        """Return an expectation with the same arguments: they are checked by it."""
        if self.name == "missingValues" and None in self._listed("missingValues"):
            listed = _without_null(self._listed("missingValues"))
            kwargs = {"column": self.column, "value_set": listed}
            return ("expect_column_values_to_not_be_in_set", kwargs) if listed else _NOTHING_TO_CHECK
        return self._exact(Limit(Operator.EQUAL, (Decimal(0),))) or _NOTHING_TO_CHECK

    def _listed(self, name: str) -> list[object]:
        values = self.arguments.get(name)
        return values if isinstance(values, list) else []

    def _exact(self, limit: Limit) -> Typed | None:
        """Return the expectation that says the same, if there is one."""
        if self.name == "rowCount":
            return _row_count(limit)
        if not limit.allows_only_zero:
            return self._share_of_nulls(limit)
        if self.rule.get("unit") == "percent" and limit.operator is Operator.LESS:
            return None
        column = {"column": self.column}
        match self.name:
            case "nullValues":
                return "expect_column_values_to_not_be_null", column
            case "missingValues":
                is_exact = None not in self._listed("missingValues")
                kwargs = {**column, "value_set": self.arguments["missingValues"]}
                return ("expect_column_values_to_not_be_in_set", kwargs) if is_exact else None
            case "invalidValues" if "pattern" in self.arguments:
                return "expect_column_values_to_match_regex", {**column, "regex": self.arguments["pattern"]}
            case "invalidValues":
                return "expect_column_values_to_be_in_set", {**column, "value_set": self.arguments["validValues"]}
            case _ if self.column is None:
                return "expect_compound_columns_to_be_unique", {"column_list": self.arguments["properties"]}
            case _:
                return "expect_column_values_to_be_unique", column

    def _share_of_nulls(self, limit: Limit) -> Typed | None:
        """`mostly` is a share of all records only where nulls are what is counted."""
        if self.name != "nullValues" or self.rule.get("unit") != "percent" or limit.operator is not Operator.AT_MOST:
            return None
        mostly = 1 - limit.numbers[0] / 100
        return (
            ("expect_column_values_to_not_be_null", {"column": self.column, "mostly": mostly}) if mostly >= 0 else None
        )

    def _number(self, columns: Columns) -> str:
        counted = self._count(columns)
        if self.rule.get("unit") != "percent":
            return counted
        return f"coalesce(({counted}) * 100 / nullif(count(*), 0), 0)"

    def _count(self, columns: Columns) -> str:
        if self.column is None:
            return "count(*)" if self.name == "rowCount" else _duplicates(self.arguments["properties"])
        column, datatype = quoted(self.column), columns[self.column]
        match self.name:
            case "nullValues":
                return f"count(*) FILTER (WHERE {column} IS NULL)"
            case "missingValues":
                written = self._listed("missingValues")
                named = literals(written, datatype)
                conditions = [f"{column} IN ({named})"] if named else []
                conditions += [f"{column} IS NULL"] if None in written else []
                return f"count(*) FILTER (WHERE {' OR '.join(conditions)})"
            case "invalidValues" if "pattern" in self.arguments:
                return f"count(*) FILTER (WHERE NOT regexp_matches({column}, {literal(self.arguments['pattern'])}))"
            case "invalidValues":
                listed = literals(self._listed("validValues"), datatype)
                return f"count(*) FILTER (WHERE {column} NOT IN ({listed}))"
            case _:
                return f"count({column}) - count(DISTINCT {column})"


def _row_count(limit: Limit) -> Typed | None:
    numbers = [int(number) if number == int(number) else number for number in limit.numbers]
    kinds: Mapping[Operator, Callable[[], Kwargs]] = {
        Operator.GREATER: lambda: {"min_value": numbers[0], "strict_min": True},
        Operator.AT_LEAST: lambda: {"min_value": numbers[0]},
        Operator.LESS: lambda: {"max_value": numbers[0], "strict_max": True},
        Operator.AT_MOST: lambda: {"max_value": numbers[0]},
        Operator.BETWEEN: lambda: {"min_value": numbers[0], "max_value": numbers[1]},
    }
    if not all(isinstance(number, int) for number in numbers):
        return None
    if limit.operator is Operator.EQUAL:
        return "expect_table_row_count_to_equal", {"value": numbers[0]}
    kwargs = kinds.get(limit.operator)
    return ("expect_table_row_count_to_be_between", kwargs()) if kwargs else None


def _duplicates(names: object) -> str:
    listed = [quoted(str(name)) for name in names] if isinstance(names, list) else []
    some = " OR ".join(f"{name} IS NOT NULL" for name in listed)
    groups = f"SELECT count(*) AS n FROM {TABLE} WHERE {some} GROUP BY {', '.join(listed)}"
    # An aggregate around it: the number is asked once, and not for each record of the table.
    return f"coalesce(max((SELECT sum(n - 1) FROM ({groups}))), 0)"


def _without_null(values: list[object]) -> list[object]:
    return [value for value in values if value is not None]
