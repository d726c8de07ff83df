"""Dagster's daemon, which looks at its sensors twice a second: its own loop has a floor of five, and no setting for it.

`python -m resources.prompt_daemon run ...` takes what `dagster-daemon run` takes. Each sensor still says itself, by its
minimum_interval_seconds, how often it is evaluated.
"""

from __future__ import annotations

from dagster._daemon import sensor
from dagster._daemon.cli import main

LOOP_SECONDS = 0.5
"""A loop of a second comes a moment before a sensor of a second is due again, and so looks at it every other time."""

if __name__ == "__main__":
    sensor.MIN_INTERVAL_LOOP_TIME = LOOP_SECONDS  # type: ignore[assignment]  # durations are floats anyway
    main()
