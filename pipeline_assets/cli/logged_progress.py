"""Shows runs as they go by: lines for people, or log lines where logs are JSON."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline_assets.cli.progress import EFFECTS, ProgressLines
from pipeline_assets.cli.run_report import Event, Progress
from sluice.publishing import Effect

if TYPE_CHECKING:
    from pipeline_assets.cli.environment import Environment

_RUNS = logging.getLogger("sluice.run")


@contextmanager
def shown_progress(environment: Environment, *, to_stderr: bool) -> Iterator[Callable[[Progress], None]]:
    """Have this process log as the settings say: where an answer goes to standard output, to standard error."""
    from resources.telemetry import STDERR, STDOUT, keep_telemetry

    keep_telemetry(environment.settings.telemetry, STDERR if to_stderr else STDOUT)
    if environment.settings.telemetry.are_logs_json:
        yield _log
        return
    with ProgressLines(to_stderr=to_stderr) as lines:
        yield lines


def _log(progress: Progress) -> None:
    about = {"about": {"dataset": progress.dataset, "partition": progress.partition}}
    match progress.event:
        case Event.WAITING:
            _RUNS.info(progress.message)
        case Event.STARTED:
            _RUNS.info("Run %s of %s begins.", progress.number, progress.total, extra=about)
        case Event.SUCCEEDED:
            _RUNS.info("Done in %.1f s: %s", progress.seconds, EFFECTS[Effect(progress.message)], extra=about)
        case Event.FAILED:
            _RUNS.error(progress.message, extra=about)
