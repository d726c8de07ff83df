"""`sluice quarantine closed`: what became of records that earlier versions of a partition had rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Column, print_json, print_table, say
from sluice.errors import StagedFilesMissing
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluice.outcome import Outcome, Redriven

COLUMNS = [
    Column("dataset"),
    Column("partition"),
    Column("rejected in", folds=True),
    Column("returned", number=True),
    Column("stayed", number=True),
    Column("superseded", number=True),
    Column("by", folds=True),
]


def closed(
    *,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    date: Annotated[str | None, typer.Option("--date", help="Only this partition, YYYY-MM-DD.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of records that earlier versions had rejected: returned, rejected again, or superseded."""
    environment = open_environment()
    if dataset is not None:
        environment.contract(dataset)
    found = [
        (published.outcome, item)
        for published in environment.ledger.all_published(dataset)
        if date in {None, published.outcome.partition}
        for item in _chain(environment, published.outcome)
    ]
    if as_json:
        print_json(_fields(outcome, item) for outcome, item in found)
    elif not found:
        say("Nothing that was in quarantine has been built again.")
    else:
        print_table(COLUMNS, [_cells(outcome, item) for outcome, item in found])


def _chain(environment: Environment, outcome: Outcome) -> Iterator[Redriven]:
    """Yield what each version did to the one before it, the newest first, as far back as outcomes are staged."""
    from pipeline_assets.staging import fetch_outcome

    seen: set[str] = set()
    while outcome.redriven is not None and outcome.redriven.version not in seen:
        yield outcome.redriven
        seen.add(outcome.redriven.version)
        version = Version.parse(outcome.redriven.version)
        try:
            outcome = fetch_outcome(environment.store, outcome.dataset, outcome.partition, version)
        except StagedFilesMissing:
            return


def _cells(outcome: Outcome, item: Redriven) -> list[str | int | None]:
    return [
        outcome.dataset,
        outcome.partition,
        item.version,
        item.returned,
        item.stayed,
        item.superseded,
        "\n".join(_sentence(found.key, found.records, found.by) for found in item.closed_by),
    ]


def _sentence(key: str, records: int, by: str | None) -> str:
    return f"{records:,} of {key}: {f'replaced by its content {by}' if by else 'removed'}"


def _fields(outcome: Outcome, item: Redriven) -> dict[str, object]:
    return {
        "dataset": outcome.dataset,
        "partition": outcome.partition,
        "version": item.version,
        "returned": item.returned,
        "stayed": item.stayed,
        "superseded": item.superseded,
        "closed_by": [found.model_dump() for found in item.closed_by],
    }
