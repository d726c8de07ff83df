"""A file has not landed when its partition was promised."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline_assets.cli.drills.actions import has_incident, is_published, land, sales, sales_contract
from pipeline_assets.cli.drills.scene import Ask, Do, Drill, Expect, Scene
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from datetime import datetime

    from pipeline_assets.cli.drills.stage import Stage

DATASET = "drill_sales"
UNTIL_DUE = timedelta(seconds=60)  # the day before is published by then

ROWS = f"""
SELECT partition_date, count(*), any_value(_sluice_status) FROM {DATASET}
GROUP BY partition_date ORDER BY partition_date"""
_MISSING = FailureClass.UPSTREAM_MISSING


def build(_: ExitStack, now: datetime) -> Scene:
    due = now + UNTIL_DUE
    today = due.date()
    before = today - timedelta(days=1)
    promise = f"""\
slaProperties:
  - {{ property: latency, value: 0, unit: d }}
  - {{ property: timeOfAvailability, value: "{due:%H:%M:%S}", valueExt: Etc/UTC }}
"""
    settings = f"freshness: {{ since: {today} }}\nhealing: {{ stand_in: previous_partition }}"
    was, own = (before, 10, None), (today, 20, None)
    return Scene(
        {DATASET: sales_contract(DATASET, settings, head=promise, start=str(before))},
        (
            Do("yesterday's file lands", land(DATASET, str(before), {"a.jsonl": sales(range(10))})),
            Expect("yesterday is published", is_published(DATASET, str(before), 10)),
            Do(f"nothing lands for today, which is due at {due:%H:%M:%S} UTC", lambda _: None),
            Expect("the breach opens an incident", has_incident(DATASET, _MISSING)),
            Expect("yesterday stands in", has_incident(DATASET, _MISSING, RemedyKind.USE_FALLBACK)),
            Expect("the placeholder is in the table", _stands_in(str(today))),
            Ask(
                "yesterday's rows for today, flagged (day, rows, _sluice_status)",
                ROWS,
                [was, (today, 10, "placeholder")],
            ),
            Do("today's file lands, late", land(DATASET, str(today), {"a.jsonl": sales(range(20))})),
            Expect("today's own data replaces it", is_published(DATASET, str(today), 20)),
            Ask("today's own rows, not flagged (day, rows, _sluice_status)", ROWS, [was, own]),
            Expect("the incident says that it is reconciled", has_incident(DATASET, _MISSING, RemedyKind.RECONCILED)),
        ),
    )


def _stands_in(day: str) -> Callable[[Stage], bool]:
    def holds(stage: Stage) -> bool:
        published = stage.environment.ledger.published(DATASET, day)
        return published is not None and published.outcome.stand_in is not None

    return holds


DRILL = Drill("late-file", "A file has not landed when its partition was promised", build)
