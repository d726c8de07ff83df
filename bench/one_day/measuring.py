"""Runs a tool's function in this process and prints what it took, as one line of JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_WHOSE = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def measured(run: Callable[[Path, Path], None]) -> None:
    """Call `run(folder, workspace)` with the arguments of the command; what is imported by then does not count."""
    folder, workspace = (Path(argument) for argument in sys.argv[1:])
    before, started = _cpu(), time.perf_counter()
    run(folder, workspace)
    wall = time.perf_counter() - started
    peak = max(resource.getrusage(whose).ru_maxrss for whose in _WHOSE) / 1024
    print(json.dumps({"wall": wall, "cpu": _cpu() - before, "peak_mb": peak}))


def _cpu() -> float:
    """Of this process and of those it started that have ended."""
    usages = [resource.getrusage(whose) for whose in _WHOSE]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
