"""Rules that no expectation expresses exactly: a query whose number must meet a condition.

They become `unexpected_rows_expectation`: the query returns its number, as a row, if the number breaks the rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

MEASURED = "measured"
"""The only column of such a row."""


class Operator(StrEnum):
    """The names are the standard's."""

    EQUAL = "mustBe"
    NOT_EQUAL = "mustNotBe"
    GREATER = "mustBeGreaterThan"
    AT_LEAST = "mustBeGreaterOrEqualTo"
    LESS = "mustBeLessThan"
    AT_MOST = "mustBeLessOrEqualTo"
    BETWEEN = "mustBeBetween"
    NOT_BETWEEN = "mustNotBeBetween"


_SQL = {
    Operator.EQUAL: "= {0}",
    Operator.NOT_EQUAL: "<> {0}",
    Operator.GREATER: "> {0}",
    Operator.AT_LEAST: ">= {0}",
    Operator.LESS: "< {0}",
    Operator.AT_MOST: "<= {0}",
    Operator.BETWEEN: "BETWEEN {0} AND {1}",
    Operator.NOT_BETWEEN: "NOT BETWEEN {0} AND {1}",
}
_WORDS = {
    Operator.EQUAL: "must be {0}",
    Operator.NOT_EQUAL: "must not be {0}",
    Operator.GREATER: "must be greater than {0}",
    Operator.AT_LEAST: "must be at least {0}",
    Operator.LESS: "must be less than {0}",
    Operator.AT_MOST: "must be at most {0}",
    Operator.BETWEEN: "must be between {0} and {1}",
    Operator.NOT_BETWEEN: "must not be between {0} and {1}",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """The condition on a number; both ends of a range belong to it."""

    operator: Operator
    numbers: tuple[Decimal, ...]

    def __str__(self) -> str:
        return _WORDS[self.operator].format(*(format(number, "f") for number in self.numbers))

    @property
    def allows_only_zero(self) -> bool:
        """Whether a count meets it just when there is nothing to count."""
        number = self.numbers[0]
        return (self.operator in {Operator.EQUAL, Operator.AT_MOST} and number == 0) or (
            self.operator is Operator.LESS and 0 < number <= 1
        )


def rows_that_break(limit: Limit, query: str) -> str:
    """Return a query that is empty when the number that `query` returns meets the limit; no number breaks it."""
    condition = _SQL[limit.operator].format(*(format(number, "f") for number in limit.numbers))
    return f"SELECT {MEASURED} FROM (SELECT (\n{query}\n) AS {MEASURED}) WHERE ({MEASURED} {condition}) IS NOT TRUE"


def as_template(query: str, table: str) -> str:
    """Return the query as Great Expectations stores it: `{batch}` for the table, other braces doubled."""
    return query.replace("{", "{{").replace("}", "}}").replace(table, "{batch}")
