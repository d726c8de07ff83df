"""Whether the SQL of a rule can be run on the table of its contract; nothing is read, the table is empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from sluice.expectations.judging import open_batch
from sluice.expectations.question import BATCH

if TYPE_CHECKING:
    from sluice.expectations.question import Columns

TABLE = "_sluice_batch"
"""Stands for the table in a query that is being checked; no column may begin like this."""

_NUMERIC = {"bigint", "integer", "hugeint", "double", "float", "smallint", "tinyint", "ubigint", "uinteger", "uhugeint"}


@dataclass(frozen=True, slots=True)
class EmptyTable:
    """A contract's table without rows; outside access is off."""

    connection: duckdb.DuckDBPyConnection

    def problem_with_regex(self, regex: str) -> str | None:
        """Say why a pattern is none; DuckDB judges by it, so DuckDB is asked."""
        try:
            self.connection.execute("SELECT regexp_matches('', ?)", [regex])
        except duckdb.Error as error:
            return str(error).removeprefix("Invalid Input Error: ")
        return None

    def problem_with_number(self, query: str) -> str | None:
        """Say why a query does not give one number over the table."""
        problem = _problem_of_form(query)
        if problem:
            return problem
        try:
            columns = self.connection.execute(f"DESCRIBE {query}").fetchall()
        except duckdb.Error as error:
            return _one_line(error)
        kind = str(columns[0][1]).lower()
        if len(columns) > 1:
            return f"it returns {len(columns)} columns, but must return one number"
        return (
            None if kind in _NUMERIC or kind.startswith("decimal") else f"it returns {kind}, but must return a number"
        )

    def problem_with_rows(self, query: str) -> str | None:
        """Say why a query does not return rows of the table."""
        problem = _problem_of_form(query)
        if problem:
            return problem
        try:
            self.connection.execute(f"DESCRIBE {query}")
        except duckdb.Error as error:
            return _one_line(error)
        return None


def open_empty_table(columns: Columns) -> EmptyTable:
    connection = duckdb.connect(config={"enable_external_access": False})
    open_batch(connection, columns, ())
    connection.execute(f"CREATE TEMP VIEW {TABLE} AS FROM {BATCH}")
    return EmptyTable(connection)


def _problem_of_form(query: str) -> str | None:
    try:
        statements = sqlglot.parse(query, dialect="duckdb")
    except ParseError as error:
        return f"it is not SQL ({error.errors[0]['description']})"
    except SqlglotError as error:
        return f"it is not SQL ({error})"
    statement = statements[0]
    if len(statements) != 1 or not isinstance(statement, exp.Query):
        return "it is not one SELECT"
    named = {cte.alias for cte in statement.find_all(exp.CTE)}
    tables = list(statement.find_all(exp.Table))
    others = [table.sql(dialect="duckdb") for table in tables if table.name != TABLE and not _is_cte(table, named)]
    if others:
        return f"it reads {others[0]}, but a rule reads only its own table"
    return None if any(table.name == TABLE for table in tables) else "it does not read the table"


def _is_cte(table: exp.Table, named: set[str]) -> bool:
    return isinstance(table.this, exp.Identifier) and not table.db and table.name in named


def _one_line(error: duckdb.Error) -> str:
    return str(error).split("\n", maxsplit=1)[0].replace(TABLE, "{table}").replace(BATCH, "{table}")
