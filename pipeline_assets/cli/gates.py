"""`sluice gates`: what keeps partitions from being published, and what every gate said of one partition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.text import Text

from pipeline_assets.cli.environment import open_environment
from pipeline_assets.cli.output import AsJson, Cell, Column, print_json, print_table, say
from sluice.acceptance import Acceptance
from sluice.gates import GATES
from sluice.judged import Judged
from sluice.judging import acceptance_of
from sluice.wording import counted

STYLES = {"holds": "green", "warns": "yellow", "accepted": "cyan", "blocks": "magenta"}


def gates(
    dataset: Annotated[str | None, typer.Argument(help="Only this dataset.")] = None,
    date: Annotated[str | None, typer.Argument(help="Every verdict on this partition, YYYY-MM-DD.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show which gates keep partitions out of their tables; with a date, what every gate said of that partition."""
    environment = open_environment()
    ledger = environment.ledger
    if dataset is not None:
        environment.contract(dataset)
    if dataset is not None and date is not None:
        found = _in_order(ledger.verdicts(dataset, date))
    else:
        found = [item for item in ledger.blocking_verdicts() if dataset in {None, item.dataset}]
    acceptances = ledger.acceptances(dataset)
    if as_json:
        print_json(_fields(item, acceptances) for item in found)
    elif found:
        _print(found, acceptances, many=date is None)
    else:
        say("No gate has judged this partition." if date else "No gate keeps a partition out of its table.")


def state_of(item: Judged, acceptances: Sequence[Acceptance]) -> str:
    if item.verdict.holds:
        return "holds"
    if not item.blocks:
        return "warns"
    return "accepted" if acceptance_of(item, acceptances) else "blocks"


def _in_order(judged: Iterable[Judged]) -> list[Judged]:
    order = {gate.name: number for number, gate in enumerate(GATES)}
    return sorted(judged, key=lambda item: order.get(item.gate, len(order)))


def _fields(item: Judged, acceptances: Sequence[Acceptance]) -> dict[str, object]:
    return {
        "dataset": item.dataset,
        "partition": item.partition,
        "gate": item.gate,
        "state": state_of(item, acceptances),
        "explanation": item.verdict.explanation,
        "threshold": item.verdict.threshold or None,
        "threshold_from": item.verdict.origin or None,
        "judged_at": item.judged_at.isoformat(),
    }


def _print(found: Sequence[Judged], acceptances: Sequence[Acceptance], *, many: bool) -> None:
    place = [Column("dataset"), Column("partition")] if many else []
    columns = [*place, Column("gate"), Column("state"), Column("what it says", folds=True)]
    print_table(columns, [_row(item, acceptances, many=many) for item in found])
    blocked = {(item.dataset, item.partition) for item in found if state_of(item, acceptances) == "blocks"}
    if blocked:
        dataset, partition = min(blocked)
        gate = next(item.gate for item in found if (item.dataset, item.partition) == (dataset, partition))
        say(
            f"{counted(len(blocked), 'partition')} blocked; what was published before stays. Land corrected files,"
            f" or accept: sluice accept {dataset} {partition} {gate} --why REASON"
        )


def _row(item: Judged, acceptances: Sequence[Acceptance], *, many: bool) -> list[Cell]:
    state = state_of(item, acceptances)
    place: list[Cell] = [item.dataset, item.partition] if many else []
    return [*place, item.gate, Text(state, style=STYLES[state]), item.verdict.explanation]
