"""`sluice query`: SQL over the published tables."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.json_text import plain_text
from pipeline_assets.cli.output import AsJson, Column, print_json, print_table, say, warn
from sluice.errors import RegionUnpriced
from sluice.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa


class QueryEngine(StrEnum):
    DUCKDB = "duckdb"  # here
    ATHENA = "athena"  # in AWS, billed by what it reads


def query(
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="A SELECT over published tables; - reads it from standard input.")
    ],
    *,
    engine: Annotated[
        QueryEngine, typer.Option(help="Who answers: DuckDB on this machine, or Amazon Athena (docs/athena.md).")
    ] = QueryEngine.DUCKDB,
    limit: Annotated[int, typer.Option(min=0, help="Rows of the printed table; 0 means all.")] = 100,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    as_json: AsJson = False,
) -> None:
    """Query the published tables; rejected records are in quarantine.<dataset>."""
    if as_csv and as_json:
        raise typer.BadParameter("choose one of --csv and --json")
    environment, text = open_environment(), sys.stdin.read() if sql == "-" else sql
    ask = _ask_athena if engine is QueryEngine.ATHENA else _ask_duckdb
    answer = ask(environment, text)
    if as_json:
        print_json(answer.rename_columns(_distinct(answer.column_names)).to_pylist())
    elif as_csv:
        _print_csv(answer)
    else:
        print_answer(answer, limit)


def _ask_duckdb(environment: Environment, sql: str) -> pa.Table:
    return environment.warehouse.query(sql)


def _ask_athena(environment: Environment, sql: str) -> pa.Table:
    """Return the rows; what they cost goes to standard error, so that the answer can be piped."""
    from sluice.cost.money import usd_text
    from sluice.cost.scan import athena_usd

    athena = environment.athena
    found = athena.query(sql)
    try:
        price = f"${usd_text(athena_usd(found.scanned_bytes, environment.prices, athena.region))}"
    except RegionUnpriced as error:
        price = f"no price is known: {error.message}"
    warn(f"Athena read {found.scanned_bytes:,} bytes in {found.seconds:.1f} s: {price} (query {found.query_id})")
    return found.rows


def print_answer(answer: pa.Table, limit: int) -> None:
    """Print rows as they are: no separators in numbers, because an id is not a quantity."""
    columns = [Column(field.name, number=_is_number(field.type), folds=True) for field in answer.schema]
    shown = answer.slice(0, limit) if limit else answer
    print_table(columns, _text_rows(shown))
    if shown.num_rows < answer.num_rows:
        say(f"{shown.num_rows:,} of {answer.num_rows:,} rows; --limit 0 prints all of them.", style="dim")
    else:
        say(counted(answer.num_rows, "row"), style="dim")


def _distinct(names: Sequence[str]) -> list[str]:
    """A row as an object holds each name once: a second `a` becomes `a_2`."""
    distinct: list[str] = []
    for name in names:
        again = count(2)
        chosen = name
        while chosen in distinct or (chosen != name and chosen in names):
            chosen = f"{name}_{next(again)}"
        distinct.append(chosen)
    return distinct


def _print_csv(answer: pa.Table) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.column_names)
    writer.writerows(_text_rows(answer))


def _text_rows(answer: pa.Table) -> Sequence[Sequence[str]]:
    columns = [column.to_pylist() for column in answer.columns]
    return [[plain_text(value) for value in row] for row in zip(*columns, strict=True)]


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
