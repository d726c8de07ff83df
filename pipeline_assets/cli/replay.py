"""`sluice replay`: partitions again, from what they have, or as of a time from what they had."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from pipeline_assets.cli.border import ExitCode
from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Column, print_json, print_table, say
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline_assets.replay import Newest, Past
    from pipeline_assets.replay_again import Again
    from sluice.contract import Contract
    from sluice.rewinding import Rewind

COLUMNS = [
    Column("partition"),
    Column("result", folds=True),
    Column("objects", number=True),
    Column("rows", number=True),
    Column("built again", number=True),
    Column("in quarantine", number=True),
    Column("rejected again", number=True),
]
_RUN_ID_DIGITS = 8
_BAD = ("failed", "differs", "lost")


@dataclass(frozen=True, slots=True)
class _Line:
    """One partition; what is not known is None. `result` begins with one word that programs can rely on."""

    partition: str
    result: str
    objects: int
    rows: int | None = None
    built_again: int | None = None
    in_quarantine: int | None = None
    rejected_again: int | None = None
    noticed_at: str | None = None  # when what is built, or compared, was noticed


def replay(
    dataset: Annotated[str, typer.Argument(help="A dataset of landed files.")],
    *,
    first: Annotated[str, typer.Option("--from", help="The first date, YYYY-MM-DD.")],
    last: Annotated[str | None, typer.Option("--to", help="The last date, YYYY-MM-DD; default: the first.")] = None,
    as_of: Annotated[
        str | None, typer.Option(help="An instant with its zone: build and show what the partitions had then.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and publish nothing.")] = False,
    why: Annotated[str, typer.Option(help="The reason, for those who ask later; with --as-of.")] = "",
    by: Annotated[str | None, typer.Option(help="Who does it; default: the user of this computer.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send arrivals again: build what a table lacks, compare what it shows; with --as-of show what was there then."""
    environment = open_environment()
    contract = environment.contract(dataset)
    newest = _fetch(environment, contract, _date(first), _date(last or first))
    if as_of is None:
        lines = _send_again(environment, contract, newest, dry_run=dry_run, to_stderr=as_json)
        _show(contract, lines, as_json=as_json)
    else:
        from sluice.replaying import parse_instant  # loads a SQL parser

        instant = parse_instant(as_of)
        pasts = [(item, _past(environment, item, instant)) for item in newest]
        lines = [_then(environment, contract, item, past) for item, past in pasts]
        found = [past for _, past in pasts if past is not None]
        done = None
        if not dry_run and found:
            done = _go_back(environment, contract, found, instant, why.strip(), by or getpass.getuser())
            lines = _done(lines, done)
        _show(contract, lines, as_json=as_json)
        if not as_json:
            _say_went_back(environment, contract, done)
    if any(line.result.startswith(_BAD) for line in lines):
        raise typer.Exit(ExitCode.FAILED)


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise typer.BadParameter(f'"{text}" is no date; write it as 2026-11-01.') from error


def _fetch(environment: Environment, contract: Contract, first: str, last: str) -> Sequence[Newest]:
    from pipeline_assets.replay import fetch_newest

    ledger, store, clock = environment.ledger, environment.store, environment.clock
    return list(fetch_newest(contract, ledger, store, clock, first, last))


def _send_again(
    environment: Environment, contract: Contract, newest: Sequence[Newest], *, dry_run: bool, to_stderr: bool
) -> list[_Line]:
    from pipeline_assets.replay_again import Standing, look_again

    ports = environment.store, environment.ledger, environment.tables, environment.settings.scratch
    looked = [look_again(contract, item, *ports) for item in newest]
    due = [item.partition for item in looked if item.standing is Standing.DUE]
    built = {} if dry_run else _build(environment, contract.dataset, due, to_stderr=to_stderr)
    return [_again(environment, item, found, built) for item, found in zip(newest, looked, strict=True)]


def _build(environment: Environment, dataset: str, due: Sequence[str], *, to_stderr: bool) -> dict[str, str]:
    """Return partition -> what became of it."""
    from pipeline_assets.cli.headless import build_places
    from pipeline_assets.cli.logged_progress import shown_progress
    from pipeline_assets.cli.progress import EFFECTS
    from pipeline_assets.replay_job import TAGS

    if not due:
        return {}
    with shown_progress(environment, to_stderr=to_stderr) as lines:
        results = build_places(environment, [(dataset, day) for day in due], tags=TAGS, on_progress=lines)
    return {
        run.partition: EFFECTS[run.effect] if run.error is None and run.effect else f"failed: {run.error}"
        for run in results
    }


_TOLD = {
    "due": "due: would be built and published",
    "same": "same",
    "differs": "differs",
    "rewound": "rewound: this version was taken back, and stays so",
    "gone": "gone: its files are no longer in the raw zone",
}


def _again(environment: Environment, newest: Newest, found: Again, built: dict[str, str]) -> _Line:
    manifest, noticed_at = newest.manifest, newest.noticed.noticed_at.isoformat()
    result = built.get(found.partition, _TOLD[found.standing])
    if (seen := found.compared) is not None:
        counts = (seen.shown.rows, seen.rebuilt.rows, seen.in_quarantine.rows, seen.rejected_again.rows)
        return _Line(found.partition, result, len(manifest.objects), *counts, noticed_at)
    published = environment.ledger.published(manifest.dataset, found.partition)
    rows, rejected = (published.outcome.published, published.outcome.quarantined) if published else (None, None)
    return _Line(found.partition, result, len(manifest.objects), rows, in_quarantine=rejected, noticed_at=noticed_at)


def _past(environment: Environment, newest: Newest, instant: datetime) -> Past | None:
    from pipeline_assets.replay import fetch_past

    return fetch_past(newest, environment.ledger, environment.store, instant)


def _then(environment: Environment, contract: Contract, newest: Newest, past: Past | None) -> _Line:
    """Say what would become of one partition."""
    from pipeline_assets.replay import is_staged, version_then

    partition = newest.manifest.partition
    if past is None:
        first = environment.ledger.arrivals(contract.dataset, partition)[0].noticed_at
        result = f"unknown: the oldest arrival that is remembered was noticed {first.isoformat()}; left as it is"
        return _Line(partition, result, 0)
    result = "would be built from what it had then"
    held = environment.tables.held(contract.dataset, partition)
    if held is not None and held.version == version_then(contract, past):
        result = "shows it already"
    elif past.lost and not is_staged(contract, past, environment.store):
        result = f"lost: no longer what they were: {', '.join(past.lost)}"
    return _Line(partition, result, len(past.then.objects), noticed_at=past.noticed_at.isoformat())


def _go_back(
    environment: Environment, contract: Contract, pasts: Sequence[Past], instant: datetime, why: str, by: str
) -> Rewind:
    from pipeline_assets.evidence import Witnesses
    from pipeline_assets.replay import Asked, Replay
    from resources.dagster_home import open_dagster
    from sluice.healing.downstream import downstream

    ports = Witnesses(
        environment.store,
        environment.ledger,
        environment.tables,
        environment.clock,
        environment.prices,
        environment.settings,
        environment.expectation_engine,
    )
    asked = Asked(instant, why, by, f"replay-{uuid4().hex[:_RUN_ID_DIGITS]}")
    with open_dagster(environment.settings.dagster_home) as instance:
        replaying = Replay(contract, ports, environment.tables, environment.failures, instance)
        return replaying.publish(pasts, asked, downstream(environment.contracts, contract.dataset))


def _done(lines: Sequence[_Line], done: Rewind) -> list[_Line]:
    changed = {step.partition for step in done.changes}
    return [
        _Line(line.partition, "published: what it had then", line.objects, noticed_at=line.noticed_at)
        if line.partition in changed
        else line
        for line in lines
    ]


def _show(contract: Contract, lines: Sequence[_Line], *, as_json: bool) -> None:
    if as_json:
        print_json({"dataset": contract.dataset, **_fields(line)} for line in lines)
    elif not lines:
        say(f"Nothing of {contract.dataset} has landed for these dates.")
    else:
        print_table(COLUMNS, [list(_fields(line).values())[: len(COLUMNS)] for line in lines], title=contract.dataset)


def _fields(line: _Line) -> dict[str, str | int | None]:
    return {name: getattr(line, name) for name in _Line.__slots__}


def _say_went_back(environment: Environment, contract: Contract, done: Rewind | None) -> None:
    if done is None:
        say("Nothing was changed.")
        return
    from sluice.rewinding import downstream

    published = [item.outcome for item in environment.ledger.all_published()]
    for name, day in downstream(done, environment.contracts, published):
        say(f"To be built again: {name} {day}", style="yellow")
    days = counted(len(done.changes), "partition")
    say(f"Published: {days} of {contract.dataset}, in one commit.", style="green")
    if any(step.taken_back for step in done.steps):
        say("What had arrived by now is not published again by itself; what arrives from now on is.")
    if done.changes and done.newest is not None:
        say(f"To undo it: sluice rewind {contract.dataset} --to {done.newest} --why REASON")
    say("A running `sluice up` builds what is derived from it; else: sluice run")
