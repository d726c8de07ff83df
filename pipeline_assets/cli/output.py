"""What the command prints: tables for people, JSON for programs, errors with their cure."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline_assets.cli.json_text import json_array

PIPE_WIDTH = 100
"""Columns of a table that goes into a file or a pipe."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

Cell = str | int | float | Text | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a printed table; a number is aligned right, a column that may not fold is cut instead."""

    title: str
    number: bool = False
    folds: bool = False


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, title: str = "") -> None:
    table = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    table.collapse_padding = True
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.number else "left",
            overflow="fold" if column.folds else "ellipsis",
            no_wrap=not column.folds,
        )
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    standard_output().print(table)


def print_json(rows: Iterable[Mapping[str, object]]) -> None:
    sys.stdout.write(json_array(rows) + "\n")


def say(text: str = "", *, style: str = "") -> None:
    """Print one line on standard output; brackets in `text` are not markup."""
    standard_output().print(Text(text, style=style), soft_wrap=True)


def tell(text: str, *, style: str = "", is_odd: bool = False) -> None:
    """Say it, or warn if it `is_odd`; where logs are JSON, log it: then standard output holds nothing else."""
    from resources.telemetry import writes_json

    if writes_json():
        logging.getLogger("sluice").log(logging.WARNING if is_odd else logging.INFO, text)
    elif is_odd:
        warn(text, style=style)
    else:
        say(text, style=style)


def warn(text: str, *, style: str = "") -> None:
    """Print one line on standard error."""
    Console(stderr=True).print(Text(text, style=style), soft_wrap=True)


def standard_output() -> Console:
    # Made anew each time: tests and pipes replace sys.stdout.
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)


def _cell(value: Cell) -> Text:
    match value:
        case None:
            return Text("")
        case Text():
            return value
        case int():
            return Text(f"{value:,}")
        case float():
            return Text(f"{value:,.1f}")
        case str():
            return Text(value)
