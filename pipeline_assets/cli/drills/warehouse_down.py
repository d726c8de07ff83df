"""The catalog goes away while a new version of a partition is to be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline_assets.cli.drills.actions import (
    failed_tries,
    has_incident,
    in_turn,
    is_published,
    land,
    nobody_is_at_work,
    sales,
    sales_contract,
)
from pipeline_assets.cli.drills.busy_catalog import BusyCatalog
from pipeline_assets.cli.drills.scene import Ask, Do, Drill, Expect, Scene
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack
    from datetime import datetime
    from pathlib import Path

    from pipeline_assets.cli.drills.stage import Stage

DATASET = "drill_sales"
FAILURES = 2

CONTRACT = sales_contract(
    DATASET,
    "healing:\n"
    "  retries: { sink_unavailable: { most: 8, first: 1 s, cap: 4 s } }\n"
    f"  breaker: {{ failures: {FAILURES}, first: 5 s, cap: 10 s }}",
)
ROWS = f"SELECT count(*), sum(amount) FROM {DATASET}"
_SINK = FailureClass.SINK_UNAVAILABLE


def build(stack: ExitStack, now: datetime) -> Scene:
    day = now.date().isoformat()
    busy = BusyCatalog(stack)
    return Scene(
        {DATASET: CONTRACT},
        (
            Do("a file lands", land(DATASET, day, {"a.jsonl": sales(range(10))})),
            Expect("it is published", is_published(DATASET, day, 10)),
            Do("the catalog goes away", _take_away),
            Do("the file is sent again, with more in it", land(DATASET, day, {"a.jsonl": sales(range(20), 2.0)})),
            Expect("it is noticed and retried", has_incident(DATASET, _SINK, RemedyKind.RETRY_LATER)),
            Expect("the breaker opens", has_incident(DATASET, _SINK, RemedyKind.OPEN_BREAKER)),
            Expect("no try is under way", nobody_is_at_work),
            Do("the catalog is back; somebody else's write still keeps ours waiting", in_turn(_bring_back, busy.begin)),
            Ask("the last good version in the table (rows, amount)", ROWS, [(10, 10)]),
            Do("the other write is over", busy.end),
            Expect("the new version is published", is_published(DATASET, day, 20)),
            Expect("what the first try staged was kept and is what is published", _was_staged_once),
            Ask("the new version in the table (rows, amount)", ROWS, [(20, 40)]),
        ),
    )


def _take_away(stage: Stage) -> None:
    """A folder in the database's place refuses to be opened, for root as well."""
    place = stage.environment.settings.catalog_database
    aside = _aside(place)
    aside.mkdir()
    for file in _files(place):
        file.replace(aside / file.name)
    place.mkdir()


def _bring_back(stage: Stage) -> None:
    place = stage.environment.settings.catalog_database
    place.rmdir()
    for file in _files(_aside(place) / place.name):
        file.replace(place.parent / file.name)


def _aside(place: Path) -> Path:
    return place.with_name("catalog.away")


def _files(database: Path) -> Iterator[Path]:
    """The log of SQLite goes with its database; the database itself comes last."""
    for ending in ("-shm", "-wal", ""):
        file = database.with_name(database.name + ending)
        if file.exists():
            yield file


def _was_staged_once(stage: Stage) -> bool:
    """Whether the run that staged what is published is one that could not publish it."""
    (published,) = stage.environment.ledger.all_published(DATASET)
    failed = stage.environment.ledger.attempts(DATASET, published.outcome.partition, str(published.outcome.version))
    return failed_tries(DATASET, _SINK)(stage) >= FAILURES and failed[0].run_id == published.outcome.run_id


DRILL = Drill("warehouse-down", "The catalog goes away while a new version is to be published", build)
