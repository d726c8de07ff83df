"""Judges all expectations of a partition: one aggregate query for most, samples only for those that fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import duckdb

from sluice.expectations.finding import Cell, Finding, cell, failed, result_text
from sluice.expectations.measured import MEASURED
from sluice.expectations.question import BATCH, Columns
from sluice.expectations.questions import kwargs_of, question_of
from sluice.expectations.results import Result, Results
from sluice.expectations.stored import suite_text, validation_text
from sluice.expectations.vocabulary import VERSION
from sluice.sql_types import duckdb_type
from sluice.sql_types import quote_identifier as quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sluice.contract import Contract
    from sluice.expectations.expectation import Expectation
    from sluice.expectations.question import Answer, Question

SAMPLE_ROWS = 10
_LIST_ROWS = 20
_ROWS = "unexpected_rows_expectation"

Rest = Callable[[duckdb.DuckDBPyConnection, Sequence["Expectation"]], Sequence[Finding]]
"""Judges, over the view `batch`, what SQL does not; returns one finding for each expectation, in their order."""


def judge_expectations(
    contract: Contract,
    partition: str,
    paths: Sequence[str],
    *,
    version: str,
    judged_at: datetime,
    connection: duckdb.DuckDBPyConnection,
    rest: Rest,
) -> Results:
    """Judge the staged Parquet files of one partition; `connection` sees them through the view `batch` from then on.

    Nothing that an expectation does raises: one that cannot be judged is a result with an error.
    """
    try:
        open_batch(connection, {column.name: column.type for column in contract.columns}, paths)
        findings = judge_batch(connection, contract, rest)
    except duckdb.Error as error:  # files that cannot be read are another gate's matter
        findings = (failed(error),) * len(contract.expectations)
    results = tuple(map(_result, contract.expectations, findings))
    suite = suite_text(contract.dataset, contract.expectations)
    validation = validation_text(contract.dataset, partition, version, judged_at, results)
    return Results(results, suite, validation, {"engine": _engine(contract)})


def open_batch(connection: duckdb.DuckDBPyConnection, columns: Columns, paths: Sequence[str]) -> None:
    """Make the view `batch` of the declared columns; without files it has no rows."""
    connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = true")  # the same ten samples every time
    if paths:
        names = ", ".join(quoted(name) for name in columns)
        files = connection.read_parquet(list(paths))
        files.project(names).create_view(BATCH, replace=True)
        return
    nothing = ", ".join(f"CAST(NULL AS {duckdb_type(kind)}) AS {quoted(name)}" for name, kind in columns.items())
    connection.execute(f"CREATE OR REPLACE VIEW {BATCH} AS SELECT {nothing} WHERE false")


def leaves_a_rest(contract: Contract) -> bool:
    """Whether `judge_batch` will ask `rest` about this contract: then Great Expectations itself is needed."""
    columns = {column.name: column.type for column in contract.columns}
    return any(item.type != _ROWS and question_of(item, columns) is None for item in contract.expectations)


def judge_batch(connection: duckdb.DuckDBPyConnection, contract: Contract, rest: Rest) -> tuple[Finding, ...]:
    """Judge the view `batch`, whatever it shows; one finding for each expectation, in their order."""
    columns = {column.name: column.type for column in contract.columns}
    asked = _Asked(connection, contract.primary_key)
    findings: dict[int, Finding] = {}
    questions: dict[int, Question] = {}
    for number, expectation in enumerate(contract.expectations):
        if expectation.type == _ROWS:
            findings[number] = asked.rows(expectation)
        elif question := question_of(expectation, columns):
            questions[number] = question
    findings |= zip(questions, asked.all(tuple(questions.values())), strict=True)
    left = [number for number in range(len(contract.expectations)) if number not in findings]
    if left:
        findings |= zip(left, rest(connection, [contract.expectations[number] for number in left]), strict=True)
    return tuple(findings[number] for number in range(len(contract.expectations)))


@dataclass(frozen=True, slots=True)
class _Asked:
    connection: duckdb.DuckDBPyConnection
    key: tuple[str, ...]

    def all(self, questions: Sequence[Question]) -> list[Finding]:
        """One query for all; when it fails, one for each, so that only the culprit is without an answer."""
        ends = [0, *accumulate(len(question.measures) for question in questions)]
        try:
            values = self._values([measure for question in questions for measure in question.measures])
        except duckdb.Error:
            return [self._one(question) for question in questions]
        answers = [q.answer(values[start:end]) for q, (start, end) in zip(questions, pairwise(ends), strict=True)]
        return [self._finding(question, answer) for question, answer in zip(questions, answers, strict=True)]

    def rows(self, expectation: Expectation) -> Finding:
        """Whatever the query returns is unexpected; a single number is shown and not counted as a record."""
        try:
            query = str(kwargs_of(expectation)["unexpected_rows_query"]).format(batch=BATCH)
            found = int(self._list(f"SELECT count(*) FROM (\n{query}\n)")[0])
            rows = self._dictionaries(f"SELECT * FROM (\n{query}\n) LIMIT {SAMPLE_ROWS}") if found else ()
        except duckdb.Error as error:
            return failed(error)
        is_measure = any(list(row) == [MEASURED] for row in rows)
        result = {"observed_value": found, "details": {"unexpected_rows": [dict(row) for row in rows]}}
        return Finding(found == 0, result, None if is_measure else found, tuple(map(_cells, rows)))

    def _one(self, question: Question) -> Finding:
        try:
            return self._finding(question, question.answer(self._values(question.measures)))
        except duckdb.Error as error:
            return failed(error)

    def _values(self, measures: Sequence[str]) -> tuple[Any, ...]:
        if not measures:
            return ()
        return self.connection.execute(f"SELECT {', '.join(measures)} FROM {BATCH}").fetchall()[0]

    def _finding(self, question: Question, answer: Answer) -> Finding:
        if answer.success and not answer.failing:
            return Finding(answer.success, answer.result, answer.failing)
        try:
            lists: dict[str, object] = {name: self._list(query) for name, query in question.lists.items()}
            rows = self._offenders(question) if question.unexpected and answer.failing else ()
        except duckdb.Error as error:
            return replace(failed(error), result=answer.result)
        if rows and not lists:
            lists = {"partial_unexpected_list": [_shown(row, question) for row in rows]}
        sample = tuple(_cells({name: row[name] for name in self.key or question.shown}) for row in rows)
        return Finding(answer.success, {**answer.result, **lists}, answer.failing, sample)

    def _offenders(self, question: Question) -> tuple[Mapping[str, Any], ...]:
        names = ", ".join(quoted(name) for name in dict.fromkeys((*self.key, *question.shown)))
        return self._dictionaries(f"SELECT {names} FROM {BATCH} WHERE {question.unexpected} LIMIT {SAMPLE_ROWS}")

    def _dictionaries(self, query: str) -> tuple[Mapping[str, Any], ...]:
        answer = self.connection.execute(query)
        names = [str(column[0]) for column in answer.description]
        return tuple(dict(zip(names, row, strict=True)) for row in answer.fetchall())

    def _list(self, query: str) -> list[Any]:
        return [row[0] for row in self.connection.execute(f"{query} LIMIT {_LIST_ROWS}").fetchall()]


def _shown(row: Mapping[str, Any], question: Question) -> object:
    values = {name: row[name] for name in question.shown}
    if question.labelled:
        return values
    return list(values.values()) if len(values) > 1 else next(iter(values.values()))


def _cells(row: Mapping[str, Any]) -> dict[str, Cell]:
    return {name: cell(value) for name, value in row.items()}


def _result(expectation: Expectation, finding: Finding) -> Result:
    return Result(
        expectation, finding.success, finding.failing, result_text(finding.result), finding.sample, finding.error
    )


def _engine(contract: Contract) -> str:
    columns = {column.name: column.type for column in contract.columns}
    left = [item for item in contract.expectations if is_left(item, columns)]
    if not left:
        return "DuckDB"
    return f"Great Expectations {VERSION} for {len(left)} of {len(contract.expectations)}, DuckDB for the others"


def is_left(expectation: Expectation, columns: Columns) -> bool:
    """Whether only Great Expectations itself can judge it."""
    return expectation.type != "unexpected_rows_expectation" and question_of(expectation, columns) is None
