"""`sluice demo`: a web shop's files from landing to answers, in one command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from pipeline_assets.cli.border import ExitCode
from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import Cell, Column, print_table, say
from pipeline_assets.cli.quarantine import example, print_record
from pipeline_assets.cli.query import print_answer
from pipeline_assets.cli.run import print_summary, run_visibly
from sluice.wording import counted

if TYPE_CHECKING:
    from pipeline_assets.cli.run_report import RunSummary
    from sluice.landing_demo import DemoObject
    from sluice.outcome import Outcome

REVENUE = """\
SELECT country, currency, sum(orders) AS orders, sum(revenue) AS revenue
FROM daily_revenue GROUP BY country, currency ORDER BY orders DESC LIMIT 5"""

PAID = """\
SELECT o.partition_date AS day, count(DISTINCT o.order_id) AS orders, count(DISTINCT p.order_id) AS paid
FROM orders AS o LEFT JOIN payments AS p USING (order_id) GROUP BY day ORDER BY day"""

QUESTIONS = (
    ("Where the week's orders came from", REVENUE),
    ("Orders by day, and how many of them were paid", PAID),
)

COLUMNS = [
    Column("dataset"),
    Column("partition"),
    Column("records in", number=True),
    Column("published", number=True),
    Column("quarantined", number=True),
    Column("duplicates", number=True),
    Column("bytes in", number=True),
    Column("seconds", number=True),
]


def demo() -> None:
    """Generate a landing zone, run everything, show the result."""
    from sluice.landing_demo import landing_objects, late_objects

    environment = open_environment()
    _chapter("A web shop's files land: orders, customers and payments of seven days")
    _land(environment, landing_objects())
    _chapter("Everything that landed is built through Dagster")
    first = run_visibly(environment)
    print_summary(first)
    _chapter("A file of 2026-11-03 arrives late: only its date is built again")
    _land(environment, late_objects())
    second = run_visibly(environment)
    print_summary(second)
    _show_balance(environment)
    _show_answers(environment)
    _show_quarantine(environment)
    _show_next()
    if _failed(first, second):
        raise typer.Exit(ExitCode.FAILED)


def _land(environment: Environment, objects: Iterable[DemoObject]) -> None:
    from resources.landing import Landed, land_bytes

    landed = [
        land_bytes(environment.store, item.body, f"raw/{item.key}", environment.settings.scratch) for item in objects
    ]
    new = landed.count(Landed.NEW)
    place, old = environment.settings.landing_place, len(landed) - new
    say(f"{counted(new, 'file')} landed in {place}; {old:,} were there already.")


def _show_balance(environment: Environment) -> None:
    _chapter("Where every record went")
    outcomes = [published.outcome for published in environment.ledger.all_published()]
    print_table(COLUMNS, [_row(outcome) for outcome in outcomes])
    landed = [outcome for outcome in outcomes if environment.contract(outcome.dataset).source]
    objects = [item for outcome in landed for item in outcome.objects]
    if objects and all(item.closes for item in objects):
        say(
            f"{sum(item.records_in for item in objects):,} records in ="
            f" {sum(item.published for item in objects):,} published"
            f" + {sum(item.quarantined for item in objects):,} quarantined"
            f" + {sum(item.duplicates for item in objects):,} duplicates, and so for every partition and file.",
            style="green",
        )
    for item in objects:
        if item.unreadable:
            say(f"{item.key} could not be read to its end ({item.unreadable}); it waits in quarantine as a whole.")


def _row(outcome: Outcome) -> list[Cell]:
    return [
        outcome.dataset,
        outcome.partition,
        outcome.records_in,
        outcome.published,
        outcome.quarantined,
        outcome.duplicates,
        outcome.bytes_in,
        outcome.seconds,
    ]


def _show_answers(environment: Environment) -> None:
    for title, sql in QUESTIONS:
        _chapter(title)
        say(sql, style="cyan")
        print_answer(environment.warehouse.query(sql), limit=0)


def _show_quarantine(environment: Environment) -> None:
    _chapter("One of the rejected records, as it came and why it was rejected")
    found = example(environment, "orders")
    if found is not None:
        print_record(*found)


def _show_next() -> None:
    _chapter("What to try next")
    for command, what in (
        ("sluice status", "every partition and its state"),
        ("sluice quarantine list", "what was rejected, by object and reason"),
        ('sluice query "select * from daily_revenue limit 5"', "SQL over the tables"),
        ("sluice run", "finds nothing to do: the same files are never built twice"),
        ("make up", "the lineage graph, the checks and the sensor in Dagster"),
        ("sluice new NAME --from FILE", "a dataset of your own"),
    ):
        say(f"  .venv/bin/{command:<52} {what}" if not command.startswith("make") else f"  {command:<62} {what}")


def _chapter(title: str) -> None:
    say()
    say(title, style="bold")


def _failed(*summaries: RunSummary) -> bool:
    return any(summary.failed for summary in summaries)
