"""Quality rules that say how they are judged: SQL of one number, or an expectation of Great Expectations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sluice.contract_file.document import read_document
from sluice.contract_file.quality_limit import read_limit
from sluice.errors import ContractInvalid, did_you_mean
from sluice.expectations.arguments import wrong_arguments, wrong_for_columns
from sluice.expectations.measured import Limit, as_template, rows_that_break
from sluice.expectations.rules_sql import TABLE
from sluice.expectations.vocabulary import VOCABULARY
from sluice.sql_types import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.contract_file.place import Place
    from sluice.contract_file.quality_metrics import Typed
    from sluice.expectations.question import Columns
    from sluice.expectations.rules_sql import EmptyTable

_TABLE_MARK = re.compile(r"\$?\{(?:table|object)\}")
_COLUMN_MARK = re.compile(r"\$?\{(?:column|property)\}")
_ENGINE = "greatExpectations"
_FIELDS = {"type", "expectation_type", "kwargs", "meta"}
_RE2_CURE = "Patterns are RE2: no look-ahead, no look-behind, no back-references."
_SQL_CURE = "Write one SELECT over {table}, in DuckDB's dialect."


def read_sql(
    rule: Mapping[str, object], place: Place, column: str | None, table: EmptyTable
) -> tuple[Typed, Limit] | None:
    """Return the query as rows that break its limit, and the limit; None after refusing."""
    limit, query, here = read_limit(rule, place), rule.get("query"), place["query"]
    if not query:
        here.refuse("is missing.", "Write a SELECT that gives one number, such as SELECT count(*) FROM {table}.")
        return None
    if rule.get("unit") is not None:
        place["unit"].refuse("is not read for SQL: the query gives the number.", "Leave it out.")
    sql = _TABLE_MARK.sub(TABLE, str(query)).rstrip("; \t\r\n")
    if column is None and _COLUMN_MARK.search(sql):
        here.refuse("names {column}, but stands at the table.", "Move it to a property, or name the column.")
        return None
    sql = _COLUMN_MARK.sub(lambda _: quote_identifier(str(column)), sql)
    problem = table.problem_with_number(sql)
    if problem:
        here.refuse(f"cannot be used: {problem}.", _SQL_CURE)
    if problem or limit is None:
        return None
    template = as_template(rows_that_break(limit, sql), TABLE)
    return ("unexpected_rows_expectation", {"unexpected_rows_query": template}), limit


def read_custom(
    rule: Mapping[str, object], place: Place, column: str | None, columns: Columns, table: EmptyTable
) -> Typed | None:
    """Return the expectation, or None after refusing."""
    engine = rule.get("engine")
    if re.sub(r"[^a-z]", "", str(engine).lower()) != _ENGINE.lower():
        problem = "is missing." if engine is None else f'is "{engine}", which Sluice does not run.'
        place["engine"].refuse(problem, f"Write engine: {_ENGINE}, or use type library or sql.")
        return None
    here = place["implementation"]
    written = _implementation(rule.get("implementation"), here)
    if written is None:
        return None
    found = len(place.problems)
    kind, kwargs = _type(written, here), _kwargs(written, here)
    if len(place.problems) > found:
        return None
    takes_column = any(argument.name == "column" for argument in VOCABULARY[kind])
    if column is not None and takes_column:
        kwargs = {"column": column, **kwargs}
    _check(kind, kwargs, here["kwargs"], columns, table)
    return None if len(place.problems) > found else (kind, kwargs)


def _implementation(value: object, place: Place) -> dict[str, object] | None:
    """A mapping, or YAML text of one; its lines are not the file's, so problems are told at the field."""
    cure = "Write {type: expect_..., kwargs: {...}}."
    if isinstance(value, str):
        try:
            return read_document(value, path=place.document.path).value
        except ContractInvalid as error:
            place.refuse(f"holds YAML that cannot be used: {error.problem}", cure)
            return None
    if not isinstance(value, dict):
        place.refuse("is missing.", cure)
        return None
    return value


def _type(written: Mapping[str, object], place: Place) -> str:
    for name in written:
        if name not in _FIELDS:
            place[name].refuse("is not a field here.", did_you_mean(name, _FIELDS))
    field = "type" if "type" in written else "expectation_type"
    kind = written.get(field)
    if kind is None:
        place.refuse("names no expectation.", "Write type: expect_...")
    elif kind not in VOCABULARY:
        near = did_you_mean(str(kind), VOCABULARY)
        cure = near if near.startswith("Did") else "Look it up in Great Expectations' gallery of core expectations."
        place[field].refuse(f'"{kind}" is not an expectation.', cure)
    return str(kind)


def _kwargs(written: Mapping[str, object], place: Place) -> dict[str, Any]:
    kwargs = written.get("kwargs")
    if kwargs is None:
        return {}
    if not isinstance(kwargs, dict):
        place["kwargs"].refuse("must hold the arguments.", "Write kwargs: {name: value}.")
        return {}
    return kwargs


def _check(kind: str, kwargs: dict[str, Any], place: Place, columns: Columns, table: EmptyTable) -> None:
    wrong = list(wrong_arguments(kind, kwargs, columns)) or list(wrong_for_columns(kind, kwargs, columns))
    for item in wrong:
        (place if item.at is None else place[item.at]).refuse(item.problem, item.cure)
    if wrong:
        return
    for name in ("regex", "regex_list"):
        for pattern in _listed(kwargs.get(name)):
            problem = table.problem_with_regex(pattern)
            if problem:
                place[name].refuse(f'"{pattern}" is no regular expression ({problem}).', _RE2_CURE)
    if "unexpected_rows_query" in kwargs:
        _check_rows(str(kwargs["unexpected_rows_query"]), place["unexpected_rows_query"], table)


def _listed(value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [str(item) for item in items if item is not None]


def _check_rows(query: str, place: Place, table: EmptyTable) -> None:
    cure = "Write one SELECT over {batch}, in DuckDB's dialect; double other braces."
    try:
        sql = query.format(batch=TABLE)
    except (ValueError, LookupError) as error:
        place.refuse(f"has a brace that stands for nothing ({error!r}).", cure)
        return
    problem = table.problem_with_rows(sql.rstrip("; \t\r\n"))
    if problem:
        place.refuse(f"cannot be used: {problem}.", cure)
