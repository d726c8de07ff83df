"""From a file's arrival to its rows: `python -m bench.latency [--arrivals N] [--way fork|dagster]`.

A real `sluice up`, and files of `orders` that land one after the other, each in a partition of its own, at random
moments of the daemon's rhythm. The reference is the same service with Dagster's own run launcher.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import math
import os
import platform
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bench.report import Line, tell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline_assets.cli.environment import Environment

    Phases = dict[str, float]

ROOT = Path(__file__).resolve().parents[1]
DATASET = "orders"
WAYS = {"dagster": "Dagster's launcher", "fork": "forking launcher"}
TARGET_MEDIAN, TARGET_P95 = 4.0, 6.0
TARGET = f"target: median at most {TARGET_MEDIAN:g} s, p95 under {TARGET_P95:g} s"
VERSIONS = ("dagster", "duckdb", "pyarrow", "pyiceberg")

_UP = """
import sys
from pathlib import Path
from pipeline_assets.cli import main
from resources import dagster_home
dagster_home._CONFIGURATION = Path(sys.argv.pop(1))
main()
"""
_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 120
_SEED = 7


def measure(way: str, arrivals: int) -> list[Phases]:
    """Start a service of its own; each file lands some seconds after the rows of the one before are there."""
    pauses = random.Random(_SEED)  # noqa: S311  it spreads arrivals over the daemon's rhythm
    cold, *days = _days(arrivals + 1)
    body = _body()
    with tempfile.TemporaryDirectory(prefix="bench-latency-") as folder, _service(Path(folder), way):
        environment = _environment(Path(folder))
        _arrive(environment, cold, body)  # not counted: the first run finds everything cold
        return [_arrive_after(pauses.uniform(0.5, 6), environment, day, body) for day in days]


def _arrive_after(seconds: float, environment: Environment, day: str, body: bytes) -> Phases:
    time.sleep(seconds)
    return _arrive(environment, day, body)


def _arrive(environment: Environment, day: str, body: bytes) -> Phases:
    """Return the seconds from one moment to the next."""
    from resources.landing import land_bytes

    land_bytes(environment.store, body, f"raw/{DATASET}/date={day}/a.jsonl.gz", environment.settings.scratch)
    landed = time.time()
    while not environment.tables.files(DATASET, day):
        if time.time() > landed + _PATIENCE_SECONDS:
            raise TimeoutError(f"No rows of {day} after {_PATIENCE_SECONDS} s; load {os.getloadavg()[0]:.1f}.")
        time.sleep(_POLL_SECONDS)
    visible = time.time()
    noticed = environment.ledger.latest(DATASET, day)
    assert noticed
    moments = [("noticed, 1 s of it settling", noticed.noticed_at.timestamp()), *_moments_of_run(environment, day)]
    moments.append(("published and seen", visible))
    print(f"  {day}: {visible - landed:.2f} s", file=sys.stderr, flush=True)
    starts = [landed, *(moment for _, moment in moments)]
    return {name: moment - start for (name, moment), start in zip(moments, starts, strict=False)}


def _moments_of_run(environment: Environment, day: str) -> Sequence[tuple[str, float]]:
    """Read from Dagster's own event log when the run of a partition was asked for, launched and where it was."""
    import dagster as dg

    with dg.DagsterInstance.from_config(str(environment.settings.dagster_home)) as instance:
        (run,) = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": day}))
        events = [(item.dagster_event, item.timestamp) for item in instance.all_logs(run.run_id) if item.dagster_event]
    steps = {(event.event_type_value, event.step_key): moment for event, moment in events}
    started = next(moment for event, moment in events if (event.message or "").startswith("Started process for run"))
    return [
        ("asked for", steps["PIPELINE_ENQUEUED", None]),
        ("out of the queue", steps["PIPELINE_STARTING", None]),
        ("worker at work", started),
        ("contracts read, run begun", steps["PIPELINE_START", None]),
        ("raw and its gates", steps["STEP_SUCCESS", f"raw__{DATASET}"]),
        ("processed", steps["STEP_SUCCESS", f"processed__{DATASET}"]),
        ("gates on processed", steps["STEP_SUCCESS", f"gates__{DATASET}"]),
    ]


@contextmanager
def _service(home: Path, way: str) -> Iterator[None]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = home / "configuration.yaml"
    configuration.write_text(_configuration(way))
    command = [sys.executable, "-c", _UP, str(configuration), "up", "--port", str(port)]
    variables = {**os.environ, "SLUICE_HOME": str(home)}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # the reference would compile our modules for every run
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            while not (line := process.stdout.readline()).startswith("Stop with"):
                assert line, "sluice up has ended"
            yield
        finally:
            process.send_signal(signal.SIGINT)


def _configuration(way: str) -> str:
    """Return dagster.yaml; the reference's has no run launcher of ours."""
    configuration = (ROOT / "deploy" / "local" / "dagster.yaml").read_text()
    return configuration if way == "fork" else re.sub(r"(?m)^run_launcher:\n(?:  .*\n)+", "", configuration)


def _environment(home: Path) -> Environment:
    from pipeline_assets.cli.environment import Environment
    from resources.clock import SystemClock
    from resources.settings import Settings

    return Environment(Settings(home, (ROOT / "pipeline_assets" / "datasets",)), SystemClock(), home)


def _body() -> bytes:
    from sluice.landing_demo import landing_objects

    return next(item.body for item in landing_objects() if item.key.startswith(f"{DATASET}/"))


def _days(number: int) -> list[str]:
    today = datetime.now(UTC).date()
    return [(today - timedelta(days=before)).isoformat() for before in reversed(range(number))]


def show(way: str, found: Sequence[Phases], load: float) -> None:
    seconds = sorted(sum(phases.values()) for phases in found)
    _, p95 = _median_and_p95(found)
    print(
        f"{WAYS[way]}, {len(seconds)} arrivals, load {load:.1f} before and {os.getloadavg()[0]:.1f} after:"
        f" min {seconds[0]:.2f}  median {statistics.median(seconds):.2f}  p95 {p95:.2f}  max {seconds[-1]:.2f} s"
    )
    total = sum(seconds)
    for name in found[0]:
        share = sum(phases[name] for phases in found) / total
        print(f"  {name:28} median {statistics.median(phases[name] for phases in found):6.2f} s  {share:4.0%}")


def _median_and_p95(found: Sequence[Phases]) -> tuple[float, float]:
    seconds = sorted(sum(phases.values()) for phases in found)
    return statistics.median(seconds), seconds[math.ceil(0.95 * len(seconds)) - 1]


def _line(found: Mapping[str, Sequence[Phases]]) -> Line:
    told = {way: _median_and_p95(phases) for way, phases in found.items()}
    texts = {way: f"median {median:.1f} s, p95 {p95:.1f} s" for way, (median, p95) in told.items()}
    held = told["fork"][0] <= TARGET_MEDIAN and told["fork"][1] < TARGET_P95 if "fork" in told else None
    what = f"arrival to table, {max(len(phases) for phases in found.values())} in a row"
    reference = f"{WAYS['dagster']}: {texts['dagster']}" if "dagster" in told else "-"
    ratio = f"{told['dagster'][0] / told['fork'][0]:.1f} x faster" if len(told) == len(WAYS) else ""
    return Line(4, what, texts.get("fork", "-"), reference, ratio, TARGET.removeprefix("target: "), held)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--arrivals", type=int)
    parser.add_argument("--reference-arrivals", type=int, default=5, help="of Dagster's own launcher, which takes long")
    parser.add_argument("--quick", action="store_true", help="five arrivals, no reference")
    parser.add_argument("--way", choices=WAYS, action="append", help="one way alone; both, one after the other")
    chosen = parser.parse_args()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONS)
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {platform.platform()},"
          f" Python {platform.python_version()}, {versions}")  # fmt: skip
    often = {"dagster": chosen.reference_arrivals, "fork": 5 if chosen.quick else 20}
    found: dict[str, Sequence[Phases]] = {}
    for way in chosen.way or (["fork"] if chosen.quick else WAYS):
        load = os.getloadavg()[0]
        found[way] = measure(way, chosen.arrivals or often[way])
        show(way, found[way], load)
    print(TARGET)
    tell(_line(found))


if __name__ == "__main__":
    main()
