"""`sluice generate`: files made from a contract, for load and for trying out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Cell, Column, print_json, print_table, say
from sluice.errors import GenerationRefused
from sluice.wording import counted

if TYPE_CHECKING:
    from resources.generated_files import GeneratedObject, Target
    from sluice.generating import FileOrder

COLUMNS = [
    Column("date"),
    Column("files", number=True),
    Column("rows", number=True),
    Column("bad", number=True),
    Column("duplicates", number=True),
    Column("good", number=True),
    Column("bytes", number=True),
]


def generate(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The dataset whose contract says what to make.")],
    *,
    dates: Annotated[str, typer.Option(help="2026-11-01, or 2026-11-01..2026-11-07, or several joined by commas.")],
    files: Annotated[int, typer.Option(help="Files for each date.")] = 1,
    rows_per_file: Annotated[int, typer.Option(help="Records in each file, bad ones and duplicates included.")] = 1000,
    bad_share: Annotated[float, typer.Option(help="Share of records that the contract rejects, from 0 to 1.")] = 0.0,
    duplicate_share: Annotated[float, typer.Option(help="Share of records whose key came before, from 0 to 1.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal files; another seed gives more of them.")] = 7,
    workers: Annotated[int, typer.Option(min=1, help="Processes to work with; the files are the same.")] = 1,
    to: Annotated[
        str | None, typer.Option(help="A folder or s3://BUCKET/PREFIX. Default: the raw zone of this Sluice.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make files from a contract and say what is in them."""
    from sluice.generating import Order, plan_files

    environment = open_environment()
    order = Order(environment.contract(dataset), _days(dates), files, rows_per_file, bad_share, duplicate_share, seed)
    planned = plan_files(order, environment.clock.now().date())
    made = _perform(planned, _target(environment, to), workers)
    if as_json:
        print_json(_described(item) for item in made)
    else:
        _show(list(made), to is None)


def _perform(planned: Sequence[FileOrder], target: Target, workers: int) -> Iterator[GeneratedObject]:
    from resources.generated_files import land_generated

    if workers == 1:
        yield from (land_generated(wanted, target) for wanted in planned)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(land_generated, target=target), planned)


def _target(environment: Environment, to: str | None) -> Target:
    from resources.generated_files import Target
    from resources.object_store import LocalObjectStore
    from resources.opened_store import open_store

    scratch = environment.settings.scratch
    if to is None:
        return Target(partial(open_store, environment.settings), "raw/", scratch)
    if to.startswith("s3://"):
        from resources.s3_store import S3ObjectStore
        from resources.settings import s3_place_at

        return Target(partial(S3ObjectStore, s3_place_at(environment.variables, to, "--to")), "", scratch)
    folder = environment.here / Path(to).expanduser()
    return Target(partial(LocalObjectStore, folder), "", folder / ".scratch")


def _days(text: str) -> tuple[date, ...]:
    """Return the dates, each once; raises GenerationRefused."""
    days = [day for part in text.split(",") for day in _range(part.strip())]
    return tuple(dict.fromkeys(days))


def _range(text: str) -> list[date]:
    first, _, last = text.partition("..")
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError as error:
        raise GenerationRefused(
            f'"{text}" in --dates is not a date or a range of dates.', cure="Write --dates 2026-11-01..2026-11-07."
        ) from error
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]


def _described(item: GeneratedObject) -> dict[str, object]:
    return {
        "key": item.key,
        "date": item.partition,
        "rows": item.rows,
        "bad": sum(item.bad.values()),
        "duplicates": item.duplicates,
        "reasons": dict(item.bad),
        "bytes": item.size_bytes,
        "landed": item.landed.value,
    }


def _show(made: list[GeneratedObject], in_raw_zone: bool) -> None:
    from resources.landing import Landed

    print_table(COLUMNS, [_row(day, list(items)) for day, items in groupby(made, lambda item: item.partition)])
    reasons = sum((Counter(item.bad) for item in made), Counter[str]())
    if reasons:
        say("Bad by reason: " + ", ".join(f"{code} {records:,}" for code, records in sorted(reasons.items())))
    old = sum(item.landed is Landed.ALREADY_THERE for item in made)
    if old:
        say(f"{counted(old, 'file')} of them had been there already, with the same content.")
    if in_raw_zone:
        say("Next: sluice run")


def _row(day: str, items: list[GeneratedObject]) -> list[Cell]:
    rows, bad = sum(item.rows for item in items), sum(sum(item.bad.values()) for item in items)
    duplicates = sum(item.duplicates for item in items)
    return [day, len(items), rows, bad, duplicates, rows - bad - duplicates, sum(item.size_bytes for item in items)]
