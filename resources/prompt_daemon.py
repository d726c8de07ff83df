"""Dagster's daemon, which looks at its sensors every second: its own loop has a floor of five, and no setting for it.

`python -m resources.prompt_daemon run ...` takes what `dagster-daemon run` takes. Each sensor still says itself, by its
minimum_interval_seconds, how often it is evaluated.
"""

from __future__ import annotations

from dagster._daemon import sensor
from dagster._daemon.cli import main

LOOP_SECONDS = 1

if __name__ == "__main__":
    sensor.MIN_INTERVAL_LOOP_TIME = LOOP_SECONDS
    main()
