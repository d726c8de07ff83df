"""Do learned limits alarm at a level shift, and only there: `python -m bench.learned_limits [--seeds N]`.

Every series is walked partition by partition as the gate sees it: an alarm keeps a partition out of the history until
a person accepts it, here at once; then it counts as published. Copies of the series are shifted at their half.
References, the usual hand-written rules: within 20 % of the mean of 7 partitions, within 3 standard deviations of 30.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.expected import limits_of, measure_of
from sluice.gate_rules import Expected, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Series = list[tuple[int, float]]

Judge = Callable[[Series, int, float, Series], bool]

VOLUMES = Path(__file__).parent / "volumes"
TAXI = Path(__file__).parents[2] / "shared" / "real-data" / "yellow-taxi"
FACTORS = (1.6, 0.6)
MINIMUM_HISTORY = 14
AT_THE_SHIFT = 14
"""Partitions after a shift whose alarms count as alarms at the shift."""


@dataclass(frozen=True, slots=True)
class Case:
    """`faults` are days that went wrong on purpose; alarms on them are right."""

    series: Series
    faults: frozenset[int] = frozenset()


@dataclass(slots=True)
class Learned:
    """The gate's own limits, with the seconds of every judgement."""

    metric: Metric
    seconds: list[float] = field(default_factory=list)

    def __call__(self, history: Series, day: int, value: float, accepted: Series) -> bool:
        started = time.perf_counter()
        measure = measure_of(self.metric.kind, [seen for _, seen in (*history, *accepted)])
        holds = limits_of(Expected(self.metric), measure, history[-180:], day, accepted).hold(value)
        self.seconds.append(time.perf_counter() - started)
        return holds


def within_a_fifth(history: Series, _: int, value: float, __: Series) -> bool:
    mean = statistics.fmean(seen for _, seen in history[-7:])
    return abs(value - mean) <= 0.2 * mean


def within_three_sd(history: Series, _: int, value: float, __: Series) -> bool:
    newest = [seen for _, seen in history[-30:]]
    return abs(value - statistics.fmean(newest)) <= 3 * statistics.stdev(newest)


def alarms_of(series: Series, holds: Judge) -> list[int]:
    """Return the positions of alarms; each is accepted and published."""
    accepted: Series = []
    alarms = []
    for position, (day, value) in enumerate(series):
        if position >= MINIMUM_HISTORY and not holds(series[:position], day, value, accepted):
            alarms.append(position)
            accepted.append((day, value))
    return alarms


def shifted(series: Series, factor: float, *, whole: bool) -> Series:
    middle = len(series) // 2
    return [
        (day, value if at < middle else float(round(value * factor)) if whole else value * factor)
        for at, (day, value) in enumerate(series)
    ]


def synthetic(
    seed: int, *, growth: float = 0.0, noise: float = 0.05, base: float = 10_000, season: float = 0.0
) -> Case:
    """A year of days: quiet weekends, ten holidays, three days that went wrong."""
    chance = random.Random(seed)  # noqa: S311 a reproducible series, no secret
    holidays, faults = set(chance.sample(range(365), 10)), set(chance.sample(range(365), 3))
    first = date(2025, 1, 1).toordinal()
    series = []
    for position in range(365):
        weekday = (first + position - 1) % 7
        usual = base * (1 + growth) ** position * (0.5 if weekday >= 5 else 1 + 0.03 * weekday)
        usual *= 1 + season * math.sin(2 * math.pi * position / 365)
        usual *= 0.8 if position in holidays else 0.1 if position in faults else 1.0
        series.append((first + position, float(round(usual * math.exp(chance.gauss(0, noise))))))
    return Case(series, frozenset(first + at for at in faults))


def monthly(seed: int) -> Case:
    """Eight years of months: one per cent of growth a month and a dear December."""
    chance = random.Random(seed)  # noqa: S311 as above
    months = [date(2018 + at // 12, at % 12 + 1, 1) for at in range(96)]
    usual = [5_000 * 1.01**at * (1.5 if day.month == 12 else 1) for at, day in enumerate(months)]
    values = [float(round(value * math.exp(chance.gauss(0, 0.05)))) for value in usual]
    return Case([(day.toordinal(), value) for day, value in zip(months, values, strict=True)])


def read_volumes(name: str) -> Case:
    with (VOLUMES / name).open() as opened:
        rows = list(csv.reader(opened))[1:]
    return Case([(date.fromisoformat(day).toordinal(), float(value)) for day, value in rows])


def read_taxi() -> Iterator[tuple[str, Metric, list[Case]]]:
    """Yield trips and mean fares by day, laid end to end (the months are not adjacent), weekdays kept."""
    fares: dict[str, list[float]] = defaultdict(list)
    for file in sorted(TAXI.glob("*.csv.gz")):
        month = file.name.removesuffix(".csv.gz")[-7:]
        with gzip.open(file, "rt") as opened:
            for row in csv.DictReader(opened):
                if row["pickup_datetime"].startswith(month):
                    fares[row["pickup_datetime"][:10]].append(float(row["fare_amount"]))
    days = sorted(fares)
    if not days:
        return
    moved = list(_end_to_end([date.fromisoformat(day) for day in days]))
    counts = [(at, float(len(fares[day]))) for at, day in zip(moved, days, strict=True)]
    means = [(at, statistics.fmean(fares[day])) for at, day in zip(moved, days, strict=True)]
    yield "real: taxi trips a day (3 months)", Metric("row_count"), [Case(counts)]
    yield "real: mean taxi fare a day (3 months)", Metric("mean", "fare_amount"), [Case(means)]


def _end_to_end(days: Iterable[date]) -> Iterator[int]:
    last: date | None = None
    moved = timedelta()
    for day in days:
        if last is not None and day - last > timedelta(days=1):
            moved += timedelta(days=((day - last).days - 1) // 7 * 7)
        yield (day - moved).toordinal()
        last = day


@dataclass(frozen=True, slots=True)
class Row:
    """`repeated` are alarms at a shift after its acceptance; `elsewhere` has a count for each shifted series."""

    shifts: int
    until: list[int]
    repeated: int
    faults: int
    faults_seen: int
    elsewhere: list[int]


def measure_row(cases: Sequence[Case], holds: Judge, *, whole: bool) -> Row:
    until, repeated, faults_seen, elsewhere = [], 0, 0, []
    for case in cases:
        middle = len(case.series) // 2
        for factor in FACTORS:
            every = alarms_of(shifted(case.series, factor, whole=whole), holds)
            alarms = [at for at in every if case.series[at][0] not in case.faults]
            near = [at - middle for at in alarms if middle <= at < middle + AT_THE_SHIFT]
            until += near[:1]
            repeated += len(near[1:])
            faults_seen += len(every) - len(alarms)
            elsewhere.append(len(alarms) - len(near))
    faults = sum(len(case.faults) for case in cases) * len(FACTORS)
    return Row(len(cases) * len(FACTORS), until, repeated, faults, faults_seen, elsewhere)


def all_series(seeds: int) -> Iterator[tuple[str, Metric, list[Case]]]:
    rows, numbers = Metric("row_count"), range(seeds)
    yield "year of days, noise 5 %", rows, [synthetic(seed) for seed in numbers]
    yield "... noise 12 %", rows, [synthetic(seed, noise=0.12) for seed in numbers]
    yield "... growing 1 % a day", rows, [synthetic(seed, growth=0.01) for seed in numbers]
    yield "... season of 30 %", rows, [synthetic(seed, season=0.3) for seed in numbers]
    yield "... 30 rows a day, noise 12 %", rows, [synthetic(seed, base=30, noise=0.12) for seed in numbers]
    yield "eight years of months", rows, [monthly(seed) for seed in numbers]
    yield "real: births a day, 1959", rows, [read_volumes("births_1959.csv")]
    yield "real: bike rides a day, 2012", rows, [read_volumes("bike_rides_2012.csv")]
    yield "real: airline passengers a month", rows, [read_volumes("air_passengers_1949.csv")]
    yield from read_taxi()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--quick", action="store_true", help="one seed")
    chosen = parser.parse_args()
    seeds = chosen.seeds or (1 if chosen.quick else 10)
    print("| series | rule | shifts seen | partitions until seen | alarms again | faults seen | alarms elsewhere |")
    print("|---|---|---|---|---|---|---|")
    seconds: list[float] = []
    for name, metric, cases in all_series(seeds):
        learned = Learned(metric)
        rules: dict[str, Judge] = {"learned": learned, "20 % of 7": within_a_fifth, "3 sd of 30": within_three_sd}
        for rule, holds in rules.items():
            print(f"| {name} | {rule} | {_cells(measure_row(cases, holds, whole=metric.kind == 'row_count'))} |")
        seconds += learned.seconds
    ordered = sorted(seconds)
    usual, slow = (1e3 * ordered[len(ordered) * share // 100] for share in (50, 99))
    print(f"\none judgement: median {usual:.2f} ms, 99 of 100 within {slow:.2f} ms")


def _cells(row: Row) -> str:
    until = f"{statistics.median(row.until):g} (most {max(row.until)})" if row.until else "-"
    faults = f"{row.faults_seen} of {row.faults}" if row.faults else "-"
    elsewhere = f"{statistics.fmean(row.elsewhere):.1f} (most {max(row.elsewhere)})"
    return f"{len(row.until)} of {row.shifts} | {until} | {row.repeated} | {faults} | {elsewhere}"


if __name__ == "__main__":
    main()
