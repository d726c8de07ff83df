"""Which columns of which partitions a query over one table has to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.pushdown_predicates import pushdown_predicates
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from sluice.contract import PARTITION_COLUMN
from sluice.errors import ReferenceQueryInvalid, did_you_mean
from sluice.sql_types import duckdb_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sluice.contract import Column

DATE = "{date}"
_DIALECT = "duckdb"
_CURE = "Write one SELECT over the dataset's own table, in DuckDB's dialect."
_CLOCKS = (exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp, exp.CurrentDatetime)
_CLOCK_NAMES = {"now", "today", "get_current_timestamp", "transaction_timestamp", "current_localtimestamp"}


@dataclass(frozen=True, slots=True)
class TableScan:
    """One reading of the table: its columns, and SQL conditions over `partition_date` that hold for what is read."""

    columns: tuple[str, ...]
    conditions: tuple[str, ...]

    def partitions(self, known: Collection[str]) -> tuple[str, ...]:
        """Return those of the known partitions that are read; raises ReferenceQueryInvalid if DuckDB cannot tell."""
        if not self.conditions or not known:
            return tuple(sorted(known))
        where = " AND ".join(f"({condition})" for condition in self.conditions)
        dates = f"SELECT unnest(?::DATE[]) AS {PARTITION_COLUMN}"
        try:
            with duckdb.connect() as engine:
                query = f"SELECT {PARTITION_COLUMN}::VARCHAR FROM ({dates}) WHERE {where} ORDER BY 1"
                return tuple(row[0] for row in engine.execute(query, [sorted(known)]).fetchall())
        except duckdb.Error as error:
            raise ReferenceQueryInvalid(problem=f"cannot be run: {error}", cure=_CURE) from error


def table_scans(sql: str, dataset: str, columns: Sequence[Column], partition: str) -> tuple[TableScan, ...]:
    """Return every reading of the table; a self-join reads it twice. Raises ReferenceQueryInvalid.

    Projections and conditions are pushed down first, as Athena's engine does. What cannot be followed (a whole row as a
    value, COLUMNS(...)) counts as all columns; a condition that is not over `partition_date` alone prunes nothing.
    """
    query = _parse(sql.replace(DATE, partition))
    _refuse_clock(query)
    _refuse_other_tables(query, dataset)
    names = {column.name.lower(): column.name for column in columns}
    schema = {dataset: {name: duckdb_type(column.type) for name, column in zip(names, columns, strict=True)}}
    schema[dataset][PARTITION_COLUMN] = "DATE"
    optimized = _optimize(query, schema, [*names.values(), PARTITION_COLUMN])
    return tuple(
        _scan(scope, alias, optimized, names) for scope in traverse_scope(optimized) for alias in _tables(scope)
    )


def _parse(sql: str) -> exp.Query:
    try:
        statements = [item for item in sqlglot.parse(sql, dialect=_DIALECT) if item]
    except SqlglotError as error:
        raise ReferenceQueryInvalid(problem=f"cannot be parsed: {_syntax(error)}.", cure="Correct the SQL.") from error
    statements = [item for item in statements if not isinstance(item, exp.Semicolon)]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ReferenceQueryInvalid(problem="is not one SELECT.", cure=_CURE)
    return statements[0]


def _syntax(error: SqlglotError) -> str:
    details = getattr(error, "errors", None)
    if not details:  # the tokenizer's errors have no position
        return str(error)
    found, _, _ = str(details[0]["description"]).partition(" but got <")
    return f'{found} at "{details[0]["highlight"]}"'


def _refuse_clock(query: exp.Query) -> None:
    for node in query.find_all(*_CLOCKS, exp.Anonymous):
        if not isinstance(node, exp.Anonymous) or node.name.lower() in _CLOCK_NAMES:
            raise ReferenceQueryInvalid(
                problem=f"reads the clock ({node.sql(_DIALECT)}), so it would cost something else every day.",
                cure=f"Write DATE '{DATE}': it stands for the partition.",
            )


def _refuse_other_tables(query: exp.Query, dataset: str) -> None:
    found = [table for scope in traverse_scope(query) for table in _sources(scope)]
    for table in found:
        if table.db or table.name.lower() != dataset or not isinstance(table.this, exp.Identifier):
            raise ReferenceQueryInvalid(problem=f"reads {table.sql(_DIALECT)}, not only {dataset}.", cure=_CURE)
    if not found:
        raise ReferenceQueryInvalid(problem=f"does not read {dataset}.", cure=_CURE)


def _sources(scope: Scope) -> Iterator[exp.Table]:
    yield from (source for source in scope.sources.values() if isinstance(source, exp.Table))


def _tables(scope: Scope) -> tuple[str, ...]:
    return tuple(alias for alias, source in scope.sources.items() if isinstance(source, exp.Table))


def _optimize(query: exp.Query, schema: dict[str, dict[str, str]], known: Collection[str]) -> exp.Query:
    try:
        qualified = qualify(query, schema=dict(schema), dialect=_DIALECT)
    except SqlglotError as error:
        unknown = next((word for word in str(error).split("'")[1::2]), "")
        cure = did_you_mean(unknown, known) if unknown else _CURE
        raise ReferenceQueryInvalid(problem=f"does not fit the columns: {error}.", cure=cure) from error
    optimized: exp.Query = pushdown_predicates(pushdown_projections(qualified), dialect=_DIALECT)
    return optimized


def _scan(scope: Scope, alias: str, query: exp.Query, names: dict[str, str]) -> TableScan:
    touched = {column.name.lower() for column in scope.source_columns(alias)}
    if query.find(exp.Columns, exp.TableColumn) or _whole_row(scope, alias, names):
        touched = set(names)
    # Iceberg knows partition_date without reading it.
    columns = tuple(name for lower, name in names.items() if lower in touched)
    return TableScan(columns, tuple(_conditions(scope, alias)))


def _whole_row(scope: Scope, alias: str, names: Collection[str]) -> bool:
    """Whether the table's name itself is used as a value."""
    return any(not column.table and column.name == alias and column.name not in names for column in scope.columns)


def _conditions(scope: Scope, alias: str) -> Iterator[str]:
    for condition in _filters(scope, alias):
        columns = list(condition.find_all(exp.Column))
        is_of_partition = columns and all((it.table, it.name) == (alias, PARTITION_COLUMN) for it in columns)
        if is_of_partition and not condition.find(exp.Query, exp.Anonymous, exp.Rand):
            unqualified = condition.copy()
            for column in list(unqualified.find_all(exp.Column)):
                column.set("table", None)
            yield unqualified.sql(_DIALECT)


def _filters(scope: Scope, alias: str) -> Iterable[exp.Expr]:
    """Yield what a row of this table must satisfy to count: WHERE, unless outer joins let it pass, and its own ON."""
    joins = scope.expression.args.get("joins") or []
    own = next((join for join in joins if join.alias_or_name == alias), None)
    sides = {join.side for join in joins}
    if sides - {"", "LEFT"}:  # a full or right join keeps rows that no condition has seen
        return
    where = scope.expression.args.get("where")
    if where is not None and (own is None or own.side == ""):
        yield from where.this.flatten() if isinstance(where.this, exp.And) else [where.this]
    on = own.args.get("on") if own is not None else None
    if on is not None:
        yield from on.flatten() if isinstance(on, exp.And) else [on]
