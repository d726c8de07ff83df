"""SQL over what is published: DuckDB reads the tables' current files, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

from resources.remote_files import is_remote
from sluice.errors import QueryInvalid, QueryRefused, TableUnknown
from sluice.quarantine import SCHEMA as QUARANTINE_SCHEMA
from sluice.sql_types import quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from resources.ledger import Publications
    from resources.remote_files import RemoteFiles
    from resources.tables import ReadableTables

QUARANTINE = "quarantine"

_ASKS_FOR_NAMES = ("show", "information_schema", "duckdb_")
"""Words of queries that ask which tables there are, without naming any."""

_READS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.MULTI})  # MULTI: what PIVOT is turned into

_NO_TABLE = re.compile(r'Table with name "?(?P<name>.+?)"? does not exist')
_PLACE = re.compile(r"\n(?P<start>LINE (?P<line>\d+): )(?P<excerpt>.*)\n(?P<indent> *)(?P<marks>\^+)")


class Warehouse:
    """Every published table under its dataset's name, and its rejected records as quarantine.<dataset>."""

    def __init__(
        self,
        tables: ReadableTables,
        quarantine_files: Callable[[str], Sequence[str]],
        scratch: Path,
        remote: RemoteFiles | None = None,
    ) -> None:
        self._tables = tables
        self._quarantine_files = quarantine_files
        self._scratch = scratch
        self._remote = remote

    def query(self, sql: str) -> pa.Table:
        """Return the rows of one SELECT in DuckDB's dialect; instants are UTC.

        Raises QueryInvalid, QueryRefused and TableUnknown.
        """
        with duckdb.connect() as connection:
            _check_reads(connection, sql)
            known = self._tables.names()
            self._create_views(connection, [name for name in known if _may_name(sql, name)])
            try:
                return _answer(connection, sql)
            except duckdb.PermissionException as error:
                raise QueryRefused(problem=_first_line(error)) from error
            except duckdb.CatalogException as error:
                raise _unknown_table(error, known) or _invalid(error, sql) from error
            except duckdb.Error as error:
                raise _invalid(error, sql) from error

    def _create_views(self, connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
        readable: list[str] = []
        connection.execute(f"CREATE SCHEMA {QUARANTINE}")
        for name in names:
            contents = self._tables.contents(name)
            quarantined = self._quarantine_files(name)
            _create_view(connection, "main", name, contents.schema, contents.files, self._remote)
            _create_view(connection, QUARANTINE, name, QUARANTINE_SCHEMA, quarantined, self._remote)
            readable += [file for file in (*contents.files, *quarantined) if not is_remote(file)]
        _lock(connection, readable, self._scratch)


def quarantine_files(publications: Publications, uri: Callable[[str], str]) -> Callable[[str], Sequence[str]]:
    """Return what finds the quarantine files of a dataset's published partitions."""

    def find(dataset: str) -> Sequence[str]:
        outcomes = [published.outcome for published in publications.all_published(dataset)]
        return [uri(file.key) for outcome in outcomes for file in outcome.quarantine_files if file.records]

    return find


def _check_reads(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Refuse what is no query. COPY to a file that may be read would overwrite it, whatever `_lock` says."""
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise _invalid(error, sql) from error
    if len(statements) != 1:
        raise QueryRefused(problem=f"it has {len(statements)} statements")
    if statements[0].type not in _READS:
        raise QueryRefused(problem=f"{statements[0].type.name} is not a query")


def _may_name(sql: str, dataset: str) -> bool:
    # Being wrong only costs an unused view. DuckDB's own list of a query's tables fails on some joins, and another
    # parser does not know all of DuckDB's SQL.
    text = sql.lower()
    return dataset.lower() in text or any(word in text for word in _ASKS_FOR_NAMES)


def _create_view(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    name: str,
    columns: pa.Schema,
    files: Sequence[str],
    remote: RemoteFiles | None,
) -> None:
    """Show `files` with all of `columns`: files from before a column was added read NULL."""
    blank = f"{schema}.{name} without rows"
    connection.register(blank, columns.empty_table())
    rows = f"SELECT * FROM {quote_identifier(blank)}"
    far = [file for file in files if is_remote(file)] if remote else []
    for number, dataset in enumerate(remote.datasets(far) if remote else ()):
        connection.register(f"{blank} {number}", dataset)
        rows += f" UNION ALL BY NAME SELECT * FROM {quote_identifier(f'{blank} {number}')}"
    if near := [file for file in files if file not in set(far)]:
        listed = ", ".join(quote_literal(file) for file in near)
        # Folders named date=... would become a column otherwise.
        rows += (
            f" UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], union_by_name=true, hive_partitioning=false)"
        )
    connection.execute(f"CREATE VIEW {schema}.{quote_identifier(name)} AS {rows}")


def _lock(connection: duckdb.DuckDBPyConnection, readable: Sequence[str], scratch: Path) -> None:
    """Let the query read these files and use this machine; everything else is out of its reach from here on."""
    connection.execute(f"SET allowed_paths = [{', '.join(quote_literal(file) for file in readable)}]")
    scratch.mkdir(parents=True, exist_ok=True)
    connection.execute(f"SET temp_directory = {quote_literal(str(scratch / 'duckdb'))}")  # a large sort goes there
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _answer(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    try:
        relation = connection.sql(sql)
    except duckdb.Error:
        connection.execute(sql)  # fails as well, and says where in the text
        raise
    answer: pa.Table = relation.to_arrow_table()
    return answer


def _unknown_table(error: duckdb.CatalogException, known: Sequence[str]) -> TableUnknown | None:
    found, place = _NO_TABLE.search(str(error)), _PLACE.search(str(error))
    if found is None:
        return None
    start = len(place["indent"]) - len(place["start"]) if place else 0
    name = place["excerpt"][start:][: len(place["marks"])] if place else found["name"]  # with its schema
    prefix = f"{QUARANTINE}." if name.lower().startswith(f"{QUARANTINE}.") else ""
    return TableUnknown(table=name, known=[prefix + dataset for dataset in known])


def _invalid(error: duckdb.Error, sql: str) -> QueryInvalid:
    place = _PLACE.search(str(error))
    if place is None:
        return QueryInvalid(problem=_first_line(error))
    line, excerpt = int(place["line"]), place["excerpt"]
    column = len(place["indent"]) - len(place["start"])
    if excerpt.startswith("..."):  # DuckDB shows a part of a long line
        column += sql.split("\n")[line - 1].find(excerpt.strip(".")) - len("...")
    return QueryInvalid(problem=_first_line(error), line=line, column=column + 1)


def _first_line(error: duckdb.Error) -> str:
    """Return the message without its kind ("Binder Error: ") and without the excerpt of the query below it."""
    message = str(error).partition("\n")[0]
    return message.partition("Error: ")[2] or message
