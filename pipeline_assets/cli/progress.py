"""Shows runs as they go by: a line for each that ended, and on a terminal the one that is at work."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text

from pipeline_assets.cli.run_report import Event, Progress
from sluice.publishing import Effect

EFFECTS = {
    Effect.COMMITTED: "published",
    Effect.ALREADY_HELD: "unchanged: the table holds this version",
    Effect.SUPERSEDED: "left alone: the table holds a newer version",
    Effect.REWOUND: "left alone: this version was taken back",
}


class ProgressLines:
    """Call it with each Progress; use it as a context manager, so that the last line is cleared."""

    def __init__(self, *, to_stderr: bool) -> None:
        self._console = Console(stderr=to_stderr)
        self._status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, progress: Progress) -> None:
        match progress.event:
            case Event.WAITING:
                self._at_work(progress.message)
            case Event.STARTED:
                self._at_work(f"{_place(progress)} ...")
            case Event.SUCCEEDED:
                self._line(f"{_place(progress)}  {progress.seconds:.1f} s  {EFFECTS[Effect(progress.message)]}", "")
            case Event.FAILED:
                self._line(f"{_place(progress)}  failed: {progress.message}", "red")

    def _at_work(self, text: str) -> None:
        if not self._console.is_terminal:
            return
        if self._status is None:
            self._status = self._console.status(escape(text))
            self._status.start()
        self._status.update(escape(text))

    def _line(self, text: str, style: str) -> None:
        self._console.print(Text(text.rstrip(), style=style), soft_wrap=True)


def _place(progress: Progress) -> str:
    return f"{progress.number:>4}/{progress.total} {progress.dataset} {progress.partition}"
