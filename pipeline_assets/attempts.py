"""Keeps an attempt in the ledger honest: whatever ends a step with an error ends the attempt with it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_assets.ports import Clock, Ledger
    from sluice.history import Attempt
    from sluice.version import Version


@contextmanager
def attempt_at(
    dataset: str, partition: str, version: Version, run_id: str, ledger: Ledger, clock: Clock
) -> Iterator[Attempt]:
    """Open the run's attempt, or take it up again; close it only when the body fails.

    A kill closes nothing: an attempt without an end whose run is over was killed.
    """
    attempt = ledger.begin(dataset, partition, str(version), run_id, clock.now())
    try:
        yield attempt
    except BaseException as error:  # Dagster's termination of a run counts as well
        ledger.end(attempt, clock.now(), str(error) or type(error).__name__)
        raise
