"""`sluice dlq`: messages that could not be understood, and their way back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline_assets.cli.environment import open_environment
from pipeline_assets.cli.output import AsJson, Cell, Column, print_json, print_table, say
from sluice.errors import LetterUnknown
from sluice.wording import counted

if TYPE_CHECKING:
    from resources.event_queue import EventQueue
    from sluice.events.message import DeadLetter

COLUMNS = [Column("id"), Column("since"), Column("why it is here", folds=True)]
BY_THE_QUEUE = "The queue put it here: it was received again and again and never dealt with."
_SHORT = 8

app = typer.Typer(help="Show messages that could not be dealt with, and send them once more.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The id of the message, or how it begins.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of messages, or how they begin.")]


@app.command("list")
def list_letters(*, as_json: AsJson = False) -> None:
    """Show what is among the dead letters, oldest first."""
    letters = open_environment().queue.dead_letters()
    if as_json:
        print_json(_fields(letter) for letter in letters)
    elif letters:
        print_table(COLUMNS, map(_row, letters))
        say("See one: sluice dlq show ID. After the cause is gone: sluice dlq redrive ID or --all", style="dim")
    else:
        say("No dead letters.")


@app.command()
def show(letter_id: Id, *, as_json: AsJson = False) -> None:
    """Show one message, its reason and its body."""
    letter = _found(open_environment().queue.dead_letters(), letter_id)
    if as_json:
        print_json([_fields(letter)])
        return
    say(f"{letter.id}, since {letter.sent_at:%Y-%m-%d %H:%M:%S} UTC")
    say(letter.reason or BY_THE_QUEUE, style="yellow")
    say(_pretty(letter.body))


@app.command()
def redrive(
    letter_ids: Ids = None, *, every: Annotated[bool, typer.Option("--all", help="All of them.")] = False
) -> None:
    """Send messages through the queue once more; one that is still not understood comes back with its new reason."""
    if every == bool(letter_ids):
        raise typer.BadParameter("Name ids, or say --all.")
    queue = open_environment().queue
    letters = queue.dead_letters()
    chosen = letters if every else [_found(letters, item) for item in dict.fromkeys(letter_ids or ())]
    _put_back(queue, chosen)


def _put_back(queue: EventQueue, letters: Sequence[DeadLetter]) -> None:
    for letter in letters:
        queue.put_back(letter)
    say(f"{counted(len(letters), 'message')} sent once more." if letters else "No dead letters.")


def _found(letters: Sequence[DeadLetter], letter_id: str) -> DeadLetter:
    near = [letter for letter in letters if letter.id.startswith(letter_id)]
    if len(near) != 1:
        raise LetterUnknown(id=letter_id, problem="begins several ids" if near else "is the id of no dead letter")
    return near[0]


def _row(letter: DeadLetter) -> Sequence[Cell]:
    return [letter.id[:_SHORT], f"{letter.sent_at:%Y-%m-%d %H:%M}", Text(letter.reason or BY_THE_QUEUE)]


def _fields(letter: DeadLetter) -> Mapping[str, object]:
    return {
        "id": letter.id,
        "since": letter.sent_at.isoformat(),
        "reason": letter.reason or BY_THE_QUEUE,
        "body": letter.body,
    }


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
