"""One home under chaos: files, what tables must show of every state they were in, faults and servers."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.cli.environment import Environment
from pipeline_assets.cli.left_runs import ask_again, fail_left_by_service
from resources.clock import SystemClock
from resources.dagster_home import open_dagster
from resources.settings import Settings
from tests.chaos.definitions import DATASETS as CONTRACTS
from tests.chaos.definitions import FAULTS
from tests.chaos.faults import FaultBox
from tests.chaos.inputs import DATASETS, DAYS, Writer, key_of
from tests.chaos.oracle import Expected, difference, expected_of, fingerprint_of
from tests.chaos.published import rows_shown, snapshots
from tests.chaos.schedule import Kind, Step
from tests.chaos.servers import Servers, kill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.chaos.oracle import Rows

_PACE_SECONDS = 0.25
_START_SECONDS = 120
_WORKER_SECONDS = 6
_STEPS_PER_RUN = 10
_RUN_SECONDS = 5
_IN_RUNS_SHARE = 0.7  # of faults; sensors list the raw zone all the time and would take nearly all others

FINAL = frozenset({dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED})

Place = tuple[str, str]
Files = dict[str, bytes]


@dataclass(slots=True)
class Landed:
    """The raw zone as its writers know it, and every state that each partition has ever been in."""

    raw: Path
    files: dict[Place, Files] = field(default_factory=dict)
    states: dict[tuple[str, str, str], Expected] = field(default_factory=dict)

    def write(self, place: Place, key: str, content: bytes) -> None:
        """Put a file in place at once, as careful writers do."""
        path = self.raw / key
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(f".{path.name}")
        hidden.write_bytes(content)
        hidden.replace(path)
        self.note(place, key, content)

    def note(self, place: Place, key: str, content: bytes) -> None:
        files = self.files.setdefault(place, {})
        files[key] = content
        self.states[(*place, fingerprint_of(files))] = expected_of(place[0], files)

    def expected(self, place: Place) -> Expected:
        return self.states[(*place, self.fingerprint(place))]

    def fingerprint(self, place: Place) -> str:
        return fingerprint_of(self.files[place])


class World:
    def __init__(self, home: Path, servers: Servers, seed: int) -> None:
        self.home = home
        self.servers = servers
        self.environment = Environment(Settings(home, (CONTRACTS,)), SystemClock(), home)
        self.faults = FaultBox(home / FAULTS)
        self.landed = Landed(home / "raw")
        self.done: Counter[str] = Counter()
        self._writer = Writer(Random(seed))  # files are no secret
        self._torn: list[tuple[Place, str, bytes]] = []

    def perform(self, step: Step) -> None:
        """Do it, wait a moment, and let what was killed come back."""
        did = self._actions()[step.kind](step)
        self.done[step.kind if did else f"{step.kind}: nothing to do it to"] += 1
        self._finish_torn(step.number)
        self._pause(_PACE_SECONDS)
        if step.number % _STEPS_PER_RUN == 0:
            self._await_next_run()

    def await_first_run(self) -> None:
        """Wait until sensors tick; before, whatever happens happens to nobody."""
        until = time.monotonic() + _START_SECONDS
        while not self.servers.workers() and time.monotonic() < until:
            self._pause(0.5)

    def _await_next_run(self) -> None:
        """Let a run end before more happens, so that a slow machine sees as much chaos as a fast one."""
        ended, until = self.runs_ended(), time.monotonic() + _RUN_SECONDS
        while self.runs_ended() == ended and time.monotonic() < until:
            self._pause(0.5)

    def runs_ended(self) -> int:
        with open_dagster(self.environment.settings.dagster_home) as instance:
            return instance.get_runs_count(dg.RunsFilter(statuses=list(FINAL)))

    def calm(self) -> None:
        """What was torn is whole. Faults that nobody met yet may still come."""
        self._finish_torn(None)

    def _actions(self) -> dict[Kind, Callable[[Step], bool]]:
        return {
            Kind.LAND: self._land,
            Kind.LATE: self._land,
            Kind.OVERWRITE: self._overwrite,
            Kind.COPY: self._copy,
            Kind.TEAR: self._tear,
            Kind.REPEAT: self._repeat,
            Kind.TOUCH: self._touch,
            Kind.FORGET: self._forget,
            Kind.FAULT: self._arm,
            Kind.READ: self._read,
            Kind.KILL_WORKER: self._kill_worker,
            Kind.KILL_DAEMON: lambda _: self._kill("daemon"),
            Kind.KILL_CODE: lambda _: self._kill("code"),
            Kind.KILL_BOTH: lambda step: self._kill_worker(step) & self._kill("code"),
            Kind.POWER_CUT: self._cut_power,
        }

    def _land(self, step: Step) -> bool:
        key = key_of(step.dataset, step.day, f"f{step.number}")
        self.landed.write((step.dataset, step.day), key, self._writer.content(step.dataset))
        return True

    def _overwrite(self, step: Step) -> bool:
        return self._to_known(step, lambda place, key, _: (place, key, self._writer.content(place[0])))

    def _copy(self, step: Step) -> bool:
        name = f"f{step.number}"
        return self._to_known(step, lambda place, _, content: (place, key_of(*place, name), content))

    def _repeat(self, step: Step) -> bool:
        return self._to_known(step, lambda place, key, content: (place, key, content))

    def _to_known(self, step: Step, change: Callable[[Place, str, bytes], tuple[Place, str, bytes]]) -> bool:
        if (known := self._known(step)) is None:
            return False
        self.landed.write(*change(*known))
        return True

    def _known(self, step: Step) -> tuple[Place, str, bytes] | None:
        """Return one of the partition's files that nobody is writing to."""
        place = (step.dataset, step.day)
        torn = {key for _, key, _ in self._torn}
        files = sorted(item for item in self.landed.files.get(place, {}).items() if item[0] not in torn)
        return (place, *files[int(step.draw * len(files))]) if files else None

    def _tear(self, step: Step) -> bool:
        place, content = ("orders", step.day), self._writer.content("orders")
        key, half = key_of(*place, f"f{step.number}"), content[: len(content) // 2]
        path = self.landed.raw / key
        path.parent.mkdir(parents=True, exist_ok=True)
        self.landed.note(place, key, b"")  # which it is, if the writer is held up
        path.write_bytes(half)
        self.landed.note(place, key, half)
        self._torn.append((place, key, content))
        return True

    def _finish_torn(self, number: int | None) -> None:
        """Write the rest of the oldest file in the making, every tenth step; of all when there is no step."""
        while self._torn and (number is None or number % 10 == 0):
            place, key, content = self._torn.pop(0)
            self.landed.note(place, key, b"")
            (self.landed.raw / key).write_bytes(content)
            self.landed.note(place, key, content)
            if number is not None:
                return

    def _touch(self, step: Step) -> bool:
        if (known := self._known(step)) is None:
            return False
        os.utime(self.landed.raw / known[1])
        return True

    def _forget(self, _step: Step) -> bool:
        with open_dagster(self.environment.settings.dagster_home) as instance:
            ask_again(instance)
        return True

    def _arm(self, step: Step) -> bool:
        if step.fault:
            self.faults.arm(step.number, *step.fault, in_run=step.draw < _IN_RUNS_SHARE)
        return True

    def _read(self, _step: Step) -> bool:
        """Every partition that a reader sees is the whole of one state that it was in."""
        for dataset in DATASETS:
            shown = rows_shown(self.environment, dataset)
            for day in DAYS:
                known = [item.rows for (*place, _), item in self.landed.states.items() if place == [dataset, day]]
                if shown[day] not in [*known, Counter()]:
                    raise AssertionError(self._told(dataset, day, shown[day], known))
        return True

    def _told(self, dataset: str, day: str, rows: Rows, known: list[Rows]) -> str:
        """Name the state nearest to what a reader saw, and what was published and landed so far."""
        nearest = min(known, key=lambda state: (state - rows).total() + (rows - state).total())
        published = [item for item in snapshots(self.environment, dataset) if item.partition == day]
        states = [name for (*place, name) in self.landed.states if place == [dataset, day]]
        return (
            f"a reader saw {dataset} {day} as it never was: {len(rows)} rows; nearest of {len(known)} states is number "
            f"{known.index(nearest)}, {difference(rows, nearest)}; states: {states}; "
            f"published: {[(item.fingerprint, item.rows.total()) for item in published]}; home: {self.home}"
        )

    def _kill_worker(self, step: Step) -> bool:
        until = time.monotonic() + _WORKER_SECONDS
        while not (workers := self.servers.workers()) and time.monotonic() < until:
            self._pause(0.2)
        self._pause(3 * step.draw)  # somewhere between its start and its end
        for worker in workers[:1]:
            kill(worker)
        return bool(workers)

    def _kill(self, name: str) -> bool:
        self.servers.kill(name)
        return True

    def _cut_power(self, _step: Step) -> bool:
        self.servers.kill_all()
        with open_dagster(self.environment.settings.dagster_home) as instance:  # what `sluice up` begins with
            fail_left_by_service(instance, self.environment)
            ask_again(instance)
        return True

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            self.servers.revive()
            if (left := until - time.monotonic()) <= 0:
                return
            time.sleep(min(left, 0.25))
