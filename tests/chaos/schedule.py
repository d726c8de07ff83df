"""What happens, in which order: drawn from a seed alone, so that a seed repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults import FAULTS, Fault
from tests.chaos.inputs import DATASETS, DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(StrEnum):
    LAND = "land"  # a new file
    LATE = "late"  # a new file for an older date
    OVERWRITE = "overwrite"  # other bytes under a known key
    COPY = "copy"  # the bytes of a known key under another
    TEAR = "tear"  # a writer at work: half of a file now, the rest some steps later
    REPEAT = "repeat"  # a known file once more: equal bytes in another file
    TOUCH = "touch"  # a known file has another time
    FORGET = "forget"  # the arrivals sensor loses its cursor
    FAULT = "fault"  # one fault is laid out
    READ = "read"  # a consumer reads every table
    KILL_WORKER = "kill worker"
    KILL_DAEMON = "kill daemon"
    KILL_CODE = "kill code server"
    KILL_BOTH = "kill code server and worker"
    POWER_CUT = "power cut"


COUNTS = {
    Kind.LAND: 66,
    Kind.LATE: 16,
    Kind.OVERWRITE: 34,
    Kind.COPY: 6,
    Kind.TEAR: 6,
    Kind.REPEAT: 12,
    Kind.TOUCH: 8,
    Kind.FORGET: 4,
    Kind.FAULT: 28,
    Kind.READ: 5,
    Kind.KILL_WORKER: 8,
    Kind.KILL_DAEMON: 3,
    Kind.KILL_CODE: 3,
    Kind.KILL_BOTH: 2,
    Kind.POWER_CUT: 1,
}
"""How often each happens; at least 200 in all."""

_PLACES = {"list": "raw", "etag": "raw", "open": "raw processed", "put": "processed quarantine", "build": "scratch"}


@dataclass(frozen=True, slots=True)
class Step:
    """`draw` decides what the state of the world leaves open: which of the files that are there, how long to wait."""

    number: int
    kind: Kind
    dataset: str
    day: str
    draw: float
    fault: tuple[str, str, Fault] | None = None  # operation, what its key contains, what happens

    def __str__(self) -> str:
        return f"{self.number:4} {self.kind:28} {self.dataset:9} {self.day} {' '.join(self.fault or ())}"


def build_schedule(seed: int) -> list[Step]:
    """Return the steps of a seed. Every partition has a file before anything else happens."""
    random = Random(seed)  # a schedule is no secret
    kinds = [kind for kind, count in COUNTS.items() for _ in range(count)]
    random.shuffle(kinds)
    first = [(Kind.LAND, dataset, DAYS[0]) for dataset in DATASETS]
    rest = [(kind, random.choice(DATASETS), _day(random, kind, n / len(kinds))) for n, kind in enumerate(kinds)]
    faults = _faults(random)
    return [
        Step(n, kind, dataset, day, random.random(), next(faults) if kind is Kind.FAULT else None)
        for n, (kind, dataset, day) in enumerate([*first, *rest])
    ]


def _day(random: Random, kind: Kind, progress: float) -> str:
    """Days pass while the steps do; most files are of the newest day."""
    today = int(progress * len(DAYS))
    if kind is Kind.LATE:
        return DAYS[random.randint(0, max(today - 1, 0))]
    return DAYS[today] if kind is Kind.LAND else DAYS[random.randint(0, today)]


def _faults(random: Random) -> Iterator[tuple[str, str, Fault]]:
    """Yield each fault of each operation before any comes again."""
    while True:
        found = [(operation, fault) for operation, faults in FAULTS.items() for fault in faults]
        random.shuffle(found)
        for operation, fault in found:
            places = _PLACES.get(operation, " ".join([*DATASETS, "paid"])).split()
            yield operation, random.choice(places), fault
