"""Which expectations are judged by SQL; Great Expectations itself judges the others."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from sluice.expectations import row_questions as rows
from sluice.expectations import table_questions as table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sluice.expectations.expectation import Expectation
    from sluice.expectations.question import Columns, Kwargs, Question

_QUESTIONS: Mapping[str, Callable[[Kwargs, Columns], Question]] = {
    "expect_column_distinct_values_to_be_in_set": table.distinct_in_set,
    "expect_column_distinct_values_to_contain_set": table.distinct_contain_set,
    "expect_column_distinct_values_to_equal_set": table.distinct_equal_set,
    "expect_column_max_to_be_between": table.extreme("max"),
    "expect_column_mean_to_be_between": table.aggregate("avg({column})"),
    "expect_column_median_to_be_between": table.aggregate("median({column})"),
    "expect_column_min_to_be_between": table.extreme("min"),
    "expect_column_pair_values_a_to_be_greater_than_b": rows.pair_greater,
    "expect_column_pair_values_to_be_equal": rows.pair_equal,
    "expect_column_proportion_of_non_null_values_to_be_between": table.aggregate(
        "(CASE WHEN count(*) > 0 THEN count({column}) / count(*) ELSE 0 END)"
    ),
    "expect_column_proportion_of_unique_values_to_be_between": table.aggregate(
        "(CASE WHEN count({column}) > 0 THEN count(DISTINCT {column}) / count({column}) ELSE 0 END)"
    ),
    "expect_column_quantile_values_to_be_between": table.quantiles_between,
    "expect_column_stdev_to_be_between": table.aggregate("stddev_samp({column})"),
    "expect_column_sum_to_be_between": table.aggregate("coalesce(sum({column}), 0)"),
    "expect_column_to_exist": table.column_exists,
    "expect_column_type_to_be": table.column_has_type,
    "expect_column_unique_value_count_to_be_between": table.aggregate("count(DISTINCT {column})"),
    "expect_column_value_lengths_to_be_between": rows.lengths_between,
    "expect_column_value_lengths_to_equal": rows.lengths_equal,
    "expect_column_values_to_be_between": rows.between,
    "expect_column_values_to_be_in_set": rows.in_set,
    "expect_column_values_to_be_in_type_list": table.column_has_one_of_types,
    "expect_column_values_to_be_null": rows.null,
    "expect_column_values_to_be_of_type": table.column_has_type,
    "expect_column_values_to_be_unique": rows.unique,
    "expect_column_values_to_match_like_pattern": rows.is_like,
    "expect_column_values_to_match_like_pattern_list": rows.is_like_patterns,
    "expect_column_values_to_match_regex": rows.matches_regex,
    "expect_column_values_to_match_regex_list": rows.matches_regexes,
    "expect_column_values_to_not_be_in_set": rows.not_in_set,
    "expect_column_values_to_not_be_null": rows.not_null,
    "expect_column_values_to_not_match_like_pattern": rows.is_not_like,
    "expect_column_values_to_not_match_like_pattern_list": rows.is_like_none_of_patterns,
    "expect_column_values_to_not_match_regex": rows.matches_no_regex,
    "expect_column_values_to_not_match_regex_list": rows.matches_none_of_regexes,
    "expect_compound_columns_to_be_unique": rows.compound_unique,
    "expect_table_column_count_to_be_between": table.column_count_between,
    "expect_table_column_count_to_equal": table.column_count_equals,
    "expect_table_columns_to_match_ordered_list": table.columns_are_list,
    "expect_table_columns_to_match_set": table.columns_are_set,
    "expect_table_row_count_to_be_between": table.row_count_between,
    "expect_table_row_count_to_equal": table.row_count_equals,
}
NATIVE_TYPES = frozenset(_QUESTIONS)
_ONLY_FOR_PANDAS = ("row_condition", "allow_relative_error")


def kwargs_of(expectation: Expectation) -> Kwargs:
    """Return the arguments with exact numbers."""
    kwargs: Kwargs = json.loads(expectation.kwargs, parse_float=Decimal)
    return kwargs


def question_of(expectation: Expectation, columns: Columns) -> Question | None:
    """Return what to ask DuckDB, or None when only Great Expectations knows how to judge it."""
    kwargs = kwargs_of(expectation)
    ask = _QUESTIONS.get(expectation.type)
    if ask is None or any(kwargs.get(name) for name in _ONLY_FOR_PANDAS):
        return None
    return ask(kwargs, columns)
