"""`sluice drill`: break something on purpose in a sandbox, and see it healed."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from pipeline_assets.cli.border import ExitCode
from pipeline_assets.cli.environment import open_environment
from pipeline_assets.cli.output import AsJson, Cell, Column, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pipeline_assets.cli.drills.scene import Drill
    from pipeline_assets.cli.drills.stage import Played
    from sluice.timeline import Happening

ALL = "all"

COLUMNS = [Column("time", number=True), Column("who"), Column("what", folds=True), Column("class, remedy or outcome")]
DRILL_COLUMNS = [Column("drill"), Column("what happens", folds=True)]

STYLES = {"failed": "red", "blocked": "magenta", "detected": "yellow", "resolved": "green", "published": "green"}


def drill(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The drill, or all.")] = None,
    *,
    listed: Annotated[bool, typer.Option("--list", help="Show which drills there are.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the sandbox to look around in it.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="The longest a drill waits for one thing, in seconds.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Break something on purpose in a sandbox with the real daemon, and show step by step how it is healed."""
    from pipeline_assets.cli.drills import DRILLS

    if listed or name is None:
        _print_drills(list(DRILLS.values()), as_json=as_json)
        return
    if name not in {*DRILLS, ALL}:
        raise typer.BadParameter(f"{name} is not one of {', '.join([*DRILLS, ALL])}", param_hint="NAME")
    chosen = list(DRILLS.values()) if name == ALL else [DRILLS[name]]
    played = []
    for item in _play(chosen, limit=limit, keep=keep):
        played.append(item)
        if not as_json:
            print_played(item, DRILLS[item.drill].title)
    if as_json:
        print_json(_fields(item) for item in played)
    if not all(item.is_healed for item in played):
        raise typer.Exit(ExitCode.FAILED)


def _print_drills(drills: Sequence[Drill], *, as_json: bool) -> None:
    if as_json:
        print_json({"drill": item.name, "title": item.title} for item in drills)
        return
    print_table(DRILL_COLUMNS, [[item.name, item.title] for item in drills])
    say("Play one: sluice drill NAME (about two minutes each); all of them: sluice drill all")


def _play(drills: Sequence[Drill], *, limit: int, keep: bool) -> Iterator[Played]:
    from pipeline_assets.cli.drills.stage import play
    from pipeline_assets.cli.sandbox import stopped_by_signals

    environment, console = open_environment(), Console(stderr=True)
    with stopped_by_signals():
        for item in drills:
            with console.status(item.name) as status:

                def show(step: str, name: str = item.name) -> None:
                    status.update(Text(f"{name}: {step} ..."))

                played = play(item, environment, seconds=limit, keep=keep, on_step=show)
            yield played


def print_played(played: Played, title: str) -> None:
    """Print the timeline and, in the last line, whether all was healed."""
    say()
    say(f"{played.drill}: {title}", style="bold")
    several = len({(item.dataset, item.partition) for item in played.happenings if item.dataset}) > 1
    print_table(COLUMNS, [_row(item, played.began_at, with_place=several) for item in played.happenings])
    if played.is_kept:
        project = f"SLUICE_PROJECT_DATASETS={played.home / 'datasets'}"
        say(f"The sandbox is kept, with its logs: SLUICE_HOME={played.home} {project} sluice incidents --all")
    if played.is_healed:
        say(_healed(played), style="green")
    else:
        say(f"Not healed: {played.missing}", style="red")


def _healed(played: Played) -> str:
    resolved = [item for item in played.happenings if item.outcome == "resolved"]
    took = (played.happenings[-1].at - played.began_at).total_seconds()
    noun = "incident" if len(resolved) == 1 else "incidents"
    return f"Healed: {len(resolved)} {noun} closed, {took:.0f} s in all."


def _row(item: Happening, began_at: datetime, *, with_place: bool) -> list[Cell]:
    place = f"{item.dataset} {item.partition}: " if item.dataset and with_place else ""
    return [f"{_seconds(item, began_at):.1f} s", item.who, place + item.what, _result(item)]


def _result(item: Happening) -> Text:
    """Of an end both are told: the outcome, and of which class it is."""
    parts = [str(part) for part in (item.failure_class, item.remedy) if part]
    style = STYLES.get(item.outcome.partition(":")[0], "")
    return Text(": ".join([*([item.outcome] if item.outcome else []), *parts]), style=style)


def _seconds(item: Happening, began_at: datetime) -> float:
    return (item.at - began_at).total_seconds()


def _fields(played: Played) -> dict[str, object]:
    return {
        "drill": played.drill,
        "healed": played.is_healed,
        "missing": played.missing or None,
        "began_at": _instant(played.began_at),
        "home": str(played.home) if played.is_kept else None,
        "happenings": [_happening(item, played.began_at) for item in played.happenings],
    }


def _happening(item: Happening, began_at: datetime) -> dict[str, object]:
    return {
        "at": _instant(item.at),
        "seconds": round(_seconds(item, began_at), 3),
        "who": item.who,
        "what": item.what,
        "dataset": item.dataset or None,
        "partition": item.partition or None,
        "class": item.failure_class and str(item.failure_class),
        "remedy": item.remedy and str(item.remedy),
        "outcome": item.outcome or None,
    }


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
