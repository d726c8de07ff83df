"""Five hundred partitions that fail in the same way cause neither a storm of runs nor one of messages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from resources.notifier import MemoryNotifier
from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.healing.breaker import BreakerState
from sluice.healing.breakers import Breakers
from sluice.notices.rules import NotifyRules, Route
from tests.world import CONTRACTS, ORDERS, World

if TYPE_CHECKING:
    from pathlib import Path

PARTITIONS = 500
UNDER_WAY, FAILURES, RELEASED = 50, 5, 25  # what sensors and breaker bound things to, if no contract says otherwise
START = date(2025, 1, 1)
LINE = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'


class Buggy:
    def __init__(self, store: object) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:  # noqa: ARG002
        raise TypeError("a bug")


@dataclass
class Daemon:
    """Ticks the sensors, and runs at once what they ask for."""

    world: World
    cursors: dict[str, str | None] = field(default_factory=dict)
    launched: Counter[str] = field(default_factory=Counter)

    def ask(self, name: str) -> list[dg.RunRequest]:
        sensor = self.world.definitions.get_repository_def().get_sensor_def(name)
        tick = self.world.evaluate(sensor, self.cursors.get(name))
        self.cursors[name] = tick.cursor
        return list(tick.run_requests or [])

    def tick(self) -> None:
        """Do what the daemon does in half a minute; messages last, for theirs is the slowest sensor."""
        for name in ("arrivals", "arrivals", "retries", "reopening", "notices"):
            for asked in self.ask(name):
                self.launched[name] += 1
                job = self.world.definitions.get_repository_def().get_job(asked.job_name or "")
                job.execute_in_process(
                    instance=self.world.instance,
                    partition_key=asked.partition_key,
                    tags=dict(asked.tags),
                    raise_on_error=False,
                )
        self.world.clock.instant += timedelta(seconds=30)


@pytest.mark.long
def test_500_partitions_that_fail_by_code_lead_to_few_runs_and_one_message(tmp_path: Path) -> None:
    orders = replace(ORDERS, start=START, notify=NotifyRules((Route("ops"),)))
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance, {**CONTRACTS, "orders": orders})
        for number in range(PARTITIONS):
            world.land_orders((START + timedelta(days=number)).isoformat(), LINE)
        world.ports["store"] = Buggy(world.store)
        daemon = Daemon(world)

        for _ in range(120):  # an hour
            daemon.tick()

        probes = 60 // 30 + 5  # after 1, 2, 4, 8, 16 minutes, then every half hour
        assert sum(daemon.launched.values()) <= UNDER_WAY + probes
        attempts = world.ledger.ended_attempts(PARTITIONS, dataset="orders")
        assert FAILURES < len(attempts) <= FAILURES + probes
        assert [title for _, title, _ in notifier(world).sent] == [f"orders: {FAILURES} partitions need a person: code"]
        held = [item for item in world.ledger.blocking_verdicts() if item.gate == BREAKER_IS_CLOSED.name]
        assert len(held) == PARTITIONS - len(attempts)

        world.ports["store"] = world.store
        world.__dict__.pop("definitions")
        world.clock.instant += timedelta(minutes=31)
        (probe,) = daemon.ask("reopening")
        assert run(world, probe).success
        assert Breakers(world.contracts, world.ledger, world.clock.now()).of("orders")[-1].state is BreakerState.CLOSED
        portion = daemon.ask("reopening")
        assert len(portion) == RELEASED
        for asked in portion:
            start(world, asked)
        assert daemon.ask("reopening") == []


def notifier(world: World) -> MemoryNotifier:
    found = world.ports["notifier"]
    assert isinstance(found, MemoryNotifier)
    return found


def run(world: World, asked: dg.RunRequest) -> dg.ExecuteInProcessResult:
    job = world.definitions.get_repository_def().get_job(asked.job_name or "")
    return job.execute_in_process(
        instance=world.instance, partition_key=asked.partition_key, tags=dict(asked.tags), raise_on_error=False
    )


def start(world: World, asked: dg.RunRequest) -> None:
    tags = {**asked.tags, "dagster/partition": str(asked.partition_key)}
    world.instance.add_run(dg.DagsterRun(job_name=str(asked.job_name), status=dg.DagsterRunStatus.STARTED, tags=tags))
