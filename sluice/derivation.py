"""What a transform.sql reads: its input tables, the order in which datasets build on each other, and column lineage."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope, traverse_scope

from sluice.errors import TransformInvalid, did_you_mean
from sluice.manifest import Manifest, RawObject, build_manifest
from sluice.sql_types import duckdb_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sluice.contract import Contract
    from sluice.version import Version

_DIALECT = "duckdb"
_HARMLESS_FUNCTIONS = (exp.GenerateSeries, exp.Unnest)
_ONE_SELECT = "Write one SELECT over published tables; Sluice writes the result."


def input_tables(sql: str, known: Collection[str], *, path: str = "transform.sql") -> tuple[str, ...]:
    """Return the datasets a query reads, by name; raises TransformInvalid with line, column and cure."""
    query = _parse(sql, path)
    tables = {_input_name(table, sql, known, path) for table in _tables(query)} - {None}
    if not tables:
        raise TransformInvalid(path=path, problem="it reads no published table.", cure=_ONE_SELECT)
    return tuple(sorted(name for name in tables if name))


def inputs_of(contract: Contract, contracts: Mapping[str, Contract]) -> tuple[str, ...]:
    """Return the datasets that a derived dataset reads; a landed one reads none."""
    if contract.transform_sql is None:
        return ()
    return input_tables(contract.transform_sql, contracts.keys() - {contract.dataset}, path=transform_path(contract))


def in_build_order(contracts: Mapping[str, Contract]) -> tuple[Contract, ...]:
    """Return all contracts, every derived one after its inputs; raises TransformInvalid when they go in a circle."""
    graph = {name: inputs_of(contract, contracts) for name, contract in sorted(contracts.items())}
    try:
        return tuple(contracts[name] for name in TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = [str(name) for name in error.args[1]]
        raise TransformInvalid(
            path=transform_path(contracts[circle[0]]),
            problem=f"datasets read each other in a circle: {' <- '.join(circle)}.",
            cure="Take one of these tables out of a FROM clause.",
        ) from error


def derived_manifest(dataset: str, partition: str, inputs: Mapping[str, Version]) -> Manifest:
    """Return what a derived partition is built from: its input tables, each with the version that it shows."""
    objects = (RawObject(key=f"tables/{name}", etag=str(version), size=0) for name, version in inputs.items())
    return build_manifest(dataset, partition, tuple(objects))


def column_inputs(contract: Contract, contracts: Mapping[str, Contract]) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return, per column of a derived dataset, the (dataset, column) pairs it comes from, where they can be told."""
    query = _parse(contract.transform_sql or "", transform_path(contract))
    inputs = inputs_of(contract, contracts)
    schema: dict[str, object] = {
        name: {column.name: duckdb_type(column.type) for column in contracts[name].columns} for name in inputs
    }
    try:
        qualified = qualify(query, schema=schema, dialect=_DIALECT, validate_qualify_columns=False)
        scope = build_scope(qualified)
        return {
            column.name: _leaves(column.name, qualified, schema, scope, inputs)
            for column in contract.columns
            if scope and column.name in qualified.named_selects
        }
    except SqlglotError:  # lineage is a courtesy: what sqlglot cannot follow is not drawn
        return {}


def transform_path(contract: Contract) -> str:
    """Return where a contract's transform.sql is, for messages."""
    folder, slash, _ = contract.path.rpartition("/")
    return f"{folder}{slash}transform.sql"


def _parse(sql: str, path: str) -> exp.Query:
    try:
        parsed = sqlglot.parse(sql, dialect=_DIALECT)
    except SqlglotError as error:
        raise TransformInvalid(path=path, problem=_syntax_problem(error), cure="Correct the SQL (DuckDB's).") from error
    # A comment behind a semicolon parses as a statement of its own.
    statements = [statement for statement in parsed if statement and not isinstance(statement, exp.Semicolon)]
    if len(statements) != 1:
        raise TransformInvalid(path=path, problem=f"it holds {len(statements)} statements.", cure=_ONE_SELECT)
    statement = statements[0]
    if not isinstance(statement, exp.Query):
        raise TransformInvalid(path=path, problem=f"it is a {statement.key.upper()} statement.", cure=_ONE_SELECT)
    return statement


def _syntax_problem(error: SqlglotError) -> str:
    details = getattr(error, "errors", None)
    if not details:  # the tokenizer's errors have no position
        return f"it cannot be parsed: {error}."
    first = details[0]
    return f'line {first["line"]}, column {first["col"]}: {first["description"]} at "{first["highlight"]}".'


def _tables(query: exp.Query) -> Iterable[exp.Table]:
    """Yield real tables: a name that a WITH clause defines is none, unless it is read in its own definition."""
    for scope in traverse_scope(query):
        yield from (source for source in scope.sources.values() if isinstance(source, exp.Table))


def _input_name(table: exp.Table, sql: str, known: Collection[str], path: str) -> str | None:
    if isinstance(table.this, _HARMLESS_FUNCTIONS):
        return None
    place = _place(table, sql)
    if not isinstance(table.this, exp.Identifier):
        raise TransformInvalid(
            path=path,
            problem=f"{place}it reads {table.sql(_DIALECT)}, which is a function and not a published table.",
            cure="Land the data as a dataset of its own and read its table.",
        )
    if table.db or table.name not in known:
        written = ".".join(part.name for part in table.parts)
        raise TransformInvalid(
            path=path, problem=f'{place}there is no table "{written}".', cure=did_you_mean(table.name, known)
        )
    return table.name


def _place(table: exp.Table, sql: str) -> str:
    start = table.this.meta.get("start")
    if start is None:
        return ""
    before = sql[:start]
    return f"line {before.count(chr(10)) + 1}, column {start - before.rfind(chr(10))}: "


def _leaves(
    column: str, query: exp.Expr, schema: Mapping[str, object], scope: Scope, inputs: Collection[str]
) -> tuple[tuple[str, str], ...]:
    root = lineage(column, query, schema=dict(schema), dialect=_DIALECT, scope=scope)
    found = {
        (node.expression.name, exp.to_column(node.name).name)
        for node in root.walk()
        if not node.downstream and isinstance(node.expression, exp.Table)
    }
    return tuple(sorted((table, name) for table, name in found if table in inputs))
