"""What a tick costs when nothing has happened: `python -m bench.idle [--runs N] [--quick]`.

Arrivals at 0, 1,000 and 100,000 known objects, beside a listing of the whole zone, which is what each tick was before
folders were watched; then every sensor over a ledger with 1,000 partitions and 30,000 attempts.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import TYPE_CHECKING

from bench.history import write_history
from bench.report import Line, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import dagster as dg

    from pipeline_assets.cli.environment import Environment
    from sluice.arrivals import Noticed
    from sluice.contract import Contract

ROOT = Path(__file__).resolve().parents[1]
DATASET = "orders"
PARTITIONS = 1_000
ATTEMPTS_EACH = 30
TARGET_SECONDS = 1.0
_UNDOUBTED = 2.1  # folders that were just written are listed, whatever they say


class Home:
    """A folder with a raw zone, a ledger and a Dagster instance, and the definitions over them."""

    def __init__(self, environment: Environment, instance: dg.DagsterInstance) -> None:
        from pipeline_assets.definitions import build_definitions, lazy_ports

        self.environment, self.instance = environment, instance
        self.contract = _watchful(environment.contracts[DATASET])
        self.ports = lazy_ports(environment)
        self.repository = build_definitions({DATASET: self.contract}, self.ports).get_repository_def()

    def land(self, objects: int) -> None:
        """Spread them over partitions up to yesterday, and let the ledger know and have built all of them."""
        days = min(objects, PARTITIONS)
        for number in range(days):
            folder = self.environment.settings.raw / DATASET / f"date={_first_day() + timedelta(days=number)}"
            folder.mkdir(parents=True)
            for index in range(objects // days):
                (folder / f"part-{index:05}.jsonl.gz").write_bytes(b"%d-%d" % (number, index))
        time.sleep(_UNDOUBTED)
        noticed = self.sweep()
        if noticed:
            write_history(self.environment.settings.ledger_url, self.contract, noticed, attempts=ATTEMPTS_EACH)

    def sweep(self) -> tuple[Noticed, ...]:
        """List the whole zone."""
        from sluice.arrivals import sweep_raw_zone

        environment = self.environment
        return sweep_raw_zone([self.contract], environment.store, environment.ledger, environment.clock.now()).noticed

    def tick(self, name: str, cursor: str | None) -> str | None:
        """Evaluate a sensor as the code server does, and return its cursor; it must ask for nothing."""
        import dagster as dg

        sensor = self.repository.get_sensor_def(name)
        ports = {key: self.ports[key] for key in sensor.required_resource_keys}
        with dg.build_sensor_context(
            instance=self.instance, cursor=cursor, repository_def=self.repository, resources=ports
        ) as context:
            found = sensor.evaluate_tick(context)
        assert not found.run_requests, f"{name} asked for {len(found.run_requests or ())} runs"
        return found.cursor


def _watchful(contract: Contract) -> Contract:
    """Every sensor has something to look at: promises, audits, stand-ins, and a route that is told of nothing."""
    from sluice.freshness import Freshness
    from sluice.healing.policy import Audit, StandIn

    healing = replace(contract.healing, audit=Audit.WARN, stand_in=StandIn())
    freshness = Freshness(days_after=1, at=time_of_day(6))
    return replace(contract, start=_first_day(), healing=healing, freshness=freshness)


def _first_day() -> date:
    return datetime.now(UTC).date() - timedelta(days=PARTITIONS)


@contextmanager
def home() -> Iterator[Home]:
    from pipeline_assets.cli.environment import Environment
    from resources.clock import SystemClock
    from resources.dagster_home import open_dagster
    from resources.settings import Settings

    with tempfile.TemporaryDirectory(prefix="bench-idle-") as folder:
        settings = Settings(Path(folder), (ROOT / "pipeline_assets" / "datasets",))
        with open_dagster(settings.dagster_home) as instance:
            yield Home(Environment(settings, SystemClock(), Path(folder)), instance)


def seconds(work: Callable[[], object]) -> float:
    """Return the processor's; on a shared machine the wall's are those of the others too."""
    before = time.process_time()
    work()
    return time.process_time() - before


def measure_arrivals(objects: int, runs: int) -> Line:
    with home() as place:
        place.land(objects)
        sweep = statistics.median(seconds(place.sweep) for _ in range(runs))
        cursor = place.tick("arrivals", None)  # lists all; the next ones are within its ten seconds
        tick = statistics.median(seconds(lambda: place.tick("arrivals", cursor)) for _ in range(runs))
    print(f"{objects:9,} objects: idle tick {tick:.4f} s CPU, a listing of all {sweep:.4f}", flush=True)
    return Line(
        5,
        f"idle tick of arrivals, {objects:,} known objects",
        f"{tick * 1000:.1f} ms CPU",
        f"a listing of all, as every 10 s: {sweep * 1000:.1f} ms",
        f"{sweep / tick:.0f} x cheaper",
        f"< {TARGET_SECONDS:g} s",
        max(tick, sweep) < TARGET_SECONDS,
    )


def measure_sensors(runs: int) -> Line:
    """Every sensor but `automation`, which is Dagster's own and evaluated by its daemon."""
    with home() as place:
        place.land(PARTITIONS)
        names = sorted(sensor.name for sensor in place.repository.sensor_defs if sensor.name != "automation")
        total = 0.0
        for name in names:
            cursor = place.tick(name, None)
            ticks = [seconds(lambda: place.tick(name, cursor)) for _ in range(runs)]  # noqa: B023  called at once
            total += statistics.median(ticks)
            print(
                f"{name:14} {statistics.median(ticks) * 1000:8.1f} ms CPU, at most {max(ticks) * 1000:.1f}", flush=True
            )
        due = statistics.median(seconds(lambda: place.tick("audits", None)) for _ in range(runs))
        print(f"{'audits, due':14} {due * 1000:8.1f} ms CPU: all published partitions are looked at")
        spends = seconds(lambda: place.environment.ledger.spends(DATASET))
        builds = statistics.median(seconds(lambda: place.environment.ledger.builds(DATASET, 60)) for _ in range(runs))
        print(f"{'before a run':14} {builds * 1000:8.1f} ms CPU for its newest builds; all spends {spends * 1000:.0f}")
    return Line(
        5,
        f"one idle tick of {len(names)} sensors, {PARTITIONS:,} partitions, {PARTITIONS * ATTEMPTS_EACH:,} attempts",
        f"{total * 1000:.0f} ms CPU",
        "-",
        "",
        f"< {TARGET_SECONDS:g} s",
        total < TARGET_SECONDS,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="10,000 objects instead of 100,000")
    chosen = parser.parse_args()
    sizes = (0, 1_000, 10_000 if chosen.quick else 100_000)
    lines = [*(measure_arrivals(objects, chosen.runs) for objects in sizes), measure_sensors(chosen.runs)]
    for line in lines:
        tell(line)


if __name__ == "__main__":
    main()
