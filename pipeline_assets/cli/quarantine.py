"""`sluice quarantine`: what was rejected, where it stood and why."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli import quarantine_closed
from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.json_text import escaped
from pipeline_assets.cli.output import AsJson, Column, print_json, print_table, say
from sluice.wording import counted

if TYPE_CHECKING:
    from sluice.outcome import Outcome
    from sluice.quarantine_reader import QuarantinedRecord, Reason

SHOWN_CHARACTERS = 2_000
"""How much of one record a terminal gets; `--json` prints all of it."""

app = typer.Typer(help="Look at rejected records and objects.", no_args_is_help=True)

Dataset = Annotated[str | None, typer.Option(help="Only this dataset.")]
Partition = Annotated[str | None, typer.Option("--date", help="Only this partition, YYYY-MM-DD.")]
ReasonCode = Annotated[str | None, typer.Option(help="Only this reason code.")]


app.command("closed")(quarantine_closed.closed)


@app.command("list")
def list_reasons(
    *, dataset: Dataset = None, date: Partition = None, reason: ReasonCode = None, as_json: AsJson = False
) -> None:
    """Count what is in quarantine by dataset, partition, object and reason."""
    outcomes = list(_outcomes(open_environment(), dataset, date))
    rows = [
        {
            "dataset": outcome.dataset,
            "partition": outcome.partition,
            "object": given.key,
            "reason": given.code,
            "column": given.column,
            "records": given.records,
        }
        for outcome in outcomes
        for given in outcome.reasons
        if reason in {None, given.code}
    ]
    if as_json:
        print_json(rows)
    elif not rows:
        say("Nothing is in quarantine.")
    else:
        columns = [
            Column("dataset"),
            Column("partition"),
            Column("object", folds=True),
            Column("reason"),
            Column("column"),
            Column("records", number=True),
        ]
        print_table(columns, [list(row.values()) for row in rows])
    gone = sum(item.redriven.returned + item.redriven.superseded for item in outcomes if item.redriven)
    if gone and not as_json:
        say(f"{counted(gone, 'record')} of earlier versions returned or were superseded: sluice quarantine closed")


@app.command()
def show(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The dataset.")],
    *,
    date: Partition = None,
    reason: ReasonCode = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many records.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show rejected records with their original bytes, where they stood and every reason."""
    environment = open_environment()
    found = (
        (outcome, record)
        for outcome in _outcomes(environment, dataset, date)
        for record in _records(environment, outcome)
        if reason is None or any(item.code == reason for item in record.reasons)
    )
    records = list(islice(found, limit))
    if as_json:
        print_json(_as_row(outcome, record) for outcome, record in records)
    elif not records:
        say("Nothing is in quarantine there.")
    else:
        for outcome, record in records:
            print_record(outcome, record)


def example(environment: Environment, dataset: str) -> tuple[Outcome, QuarantinedRecord] | None:
    """Return a record that was rejected for one of its values, or None when there is none."""
    records = (
        (outcome, record)
        for outcome in _outcomes(environment, dataset, None)
        for record in _records(environment, outcome)
        if record.raw is not None and any(reason.column for reason in record.reasons)
    )
    return next(records, None)


def print_record(outcome: Outcome, record: QuarantinedRecord) -> None:
    place = f"line {record.line:,}" if record.line is not None else "the whole object"
    say(f"{outcome.dataset} {outcome.partition}  {record.object}  {place}  (ETag {record.etag})", style="bold")
    for reason in record.reasons:
        say(f"  {_sentence(reason)}", style="red")
    for reason in record.earlier_reasons:
        say(f"  under contract {record.earlier_contract} it was {_sentence(reason)}", style="yellow")
    if record.raw is not None:
        say(f"  {_shortened(record.raw)}")


def _sentence(reason: Reason) -> str:
    """A reason without a column is about the whole record, which is printed anyway."""
    if reason.column is None:
        return reason.code
    return f"{reason.code} {reason.column}: {reason.value}" if reason.value else f"{reason.code} {reason.column}"


def _shortened(raw: bytes) -> str:
    text = escaped(raw[: SHOWN_CHARACTERS * 4])
    if len(text) <= SHOWN_CHARACTERS and len(raw) <= SHOWN_CHARACTERS * 4:
        return text
    return f"{text[:SHOWN_CHARACTERS]} ... ({len(raw):,} bytes in all; --json prints them)"


def _outcomes(environment: Environment, dataset: str | None, partition: str | None) -> Iterator[Outcome]:
    if dataset is not None:
        environment.contract(dataset)
    for published in environment.ledger.all_published(dataset):
        if partition in {None, published.outcome.partition}:
            yield published.outcome


def _records(environment: Environment, outcome: Outcome) -> Iterator[QuarantinedRecord]:
    from sluice.quarantine_reader import read_quarantine

    for file in outcome.quarantine_files:
        with environment.store.open(file.key) as content:
            yield from read_quarantine(content)


def _as_row(outcome: Outcome, record: QuarantinedRecord) -> dict[str, object]:
    raw = record.raw
    return {
        "dataset": outcome.dataset,
        "partition": outcome.partition,
        "object": record.object,
        "etag": record.etag,
        "line": record.line,
        "reasons": [_fields(item) for item in record.reasons],
        "earlier_reasons": [_fields(item) for item in record.earlier_reasons],
        "earlier_contract": record.earlier_contract,
        "text": None if raw is None else escaped(raw),
        "base64": None if raw is None else base64.b64encode(raw).decode("ascii"),
    }


def _fields(reason: Reason) -> dict[str, str | None]:
    return {"code": reason.code, "column": reason.column, "value": reason.value}
