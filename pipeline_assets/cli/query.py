"""`sluice query`: SQL over the published tables."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.environment import open_environment
from pipeline_assets.cli.json_text import plain_text
from pipeline_assets.cli.output import AsJson, Column, print_json, print_table, say
from sluice.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa


def query(
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="A SELECT over published tables; - reads it from standard input.")
    ],
    *,
    limit: Annotated[int, typer.Option(min=0, help="Rows of the printed table; 0 means all.")] = 100,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    as_json: AsJson = False,
) -> None:
    """Query the published tables; rejected records are in quarantine.<dataset>."""
    if as_csv and as_json:
        raise typer.BadParameter("choose one of --csv and --json")
    answer = open_environment().warehouse.query(sys.stdin.read() if sql == "-" else sql)
    if as_json:
        print_json(answer.rename_columns(_distinct(answer.column_names)).to_pylist())
    elif as_csv:
        _print_csv(answer)
    else:
        print_answer(answer, limit)


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
