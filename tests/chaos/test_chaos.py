"""Everything goes wrong at once, with the real daemon; afterwards it is as if nothing had. `make test-chaos`."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pipeline_assets.cli.environment import Environment
from pipeline_assets.cli.headless import run_until_quiet
from resources.clock import SystemClock
from resources.settings import Settings
from tests.chaos.aftermath import differences, errors_of_runs, faults_of_history, faults_of_tables, runs, unrest
from tests.chaos.definitions import DATASETS as CONTRACTS
from tests.chaos.inputs import DATASETS
from tests.chaos.oracle import expected_of
from tests.chaos.schedule import build_schedule
from tests.chaos.servers import Servers
from tests.chaos.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.schedule import Step

pytestmark = pytest.mark.chaos

_QUIET_SECONDS = 900
_STUCK_SECONDS = 240  # without any run that ends; longer than any wait of the healing, on a busy machine as well
_STILL_SECONDS = 12  # longer than sensors sleep, and than a file that is overwritten in place waits


def test_after_chaos_everything_is_as_without_it(seed: int, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    begun = time.monotonic()
    home = tmp_path / "home"
    schedule = build_schedule(seed)[: pytestconfig.getoption("--steps")]
    with Servers(home, tmp_path) as servers:
        world = World(home, servers, seed)
        for step in schedule[: len(DATASETS)]:
            world.perform(step)
        world.await_first_run()
        for step in schedule[len(DATASETS) :]:
            world.perform(step)
        stepped = time.monotonic()
        world.calm()
        unquiet = wait_until_quiet(world)
        quiet = time.monotonic()
    report = [
        f"seed {seed}: {len(schedule)} steps in {stepped - begun:.0f} s, quiet after {quiet - stepped:.0f} s more",
        f"steps: {shown(world.done)}",
        f"faults fired: {shown(Counter(' '.join(name.split('~')[1:4]) for name in world.faults.names('fired')))}",
        f"runs: {shown(Counter(run.status.value for run in runs(world.environment)))}",
    ]
    print("", *report, sep="\n")  # noqa: T201  # what it was that passed
    if unquiet:
        pytest.fail(told(report, unquiet, world, schedule))
    reference = undisturbed(world, tmp_path / "reference")
    wrong = [*faults_of_tables(world), *faults_of_history(world), *differences(world.environment, reference)]
    assert servers.processes() == []
    if wrong:
        pytest.fail(told(report, wrong, world, schedule))
    shutil.rmtree(tmp_path)


def test_the_aftermath_is_told_when_tables_are_not_what_files_say(tmp_path: Path) -> None:
    world = World(tmp_path, Servers(tmp_path, tmp_path), seed=1)
    for step in build_schedule(1)[: len(DATASETS)]:
        world.perform(step)
    run_until_quiet(world.environment, on_progress=lambda _: None)
    assert list(unrest(world)) == []
    assert [*faults_of_tables(world), *faults_of_history(world)] == []
    place, *_ = world.landed.files
    key, *_ = world.landed.files[place]

    world.landed.states[(*place, world.landed.fingerprint(place))] = expected_of(place[0], {})
    wrong_content = [*faults_of_tables(world), *faults_of_history(world)]
    world.landed.note(place, key, b"")
    wrong_state = list(faults_of_history(world))

    assert [item.split()[2] for item in wrong_content if item.startswith(place[0])] == ["shows", "was"]
    assert wrong_state[0].startswith(f"{place[0]} {place[1]} was published wrong")


def wait_until_quiet(world: World) -> list[str]:
    """Return what does not come to rest; quiet is what stays quiet for longer than any sensor sleeps."""
    begun = moved_at = now = time.monotonic()
    still_since, ended = None, -1
    while now < min(begun + _QUIET_SECONDS, moved_at + _STUCK_SECONDS):
        waiting, before, ended = list(unrest(world)), ended, world.runs_ended()
        now = time.monotonic()
        moved_at = now if ended > before else moved_at
        still_since = None if waiting else still_since or now
        if still_since and now - still_since > _STILL_SECONDS:
            return []
        world.servers.revive()
        time.sleep(1)
    return list(unrest(world)) or ["never quiet for long"]


def undisturbed(world: World, home: Path) -> Environment:
    """Build the same files in another home, without faults."""
    shutil.copytree(world.landed.raw, home / "raw")
    environment = Environment(Settings(home, (CONTRACTS,)), SystemClock(), home)
    summary = run_until_quiet(environment, on_progress=lambda _: None)
    assert summary.failed == ()
    return environment


def shown(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def told(report: list[str], wrong: list[str], world: World, schedule: list[Step]) -> str:
    ledger = world.environment.ledger
    incidents = [f"  {item}" for item in ledger.incidents(open_only=True)]
    failed = [f"  {item.dataset} {item.partition}: {item.error}" for item in ledger.failed_attempts()]
    return "\n".join(
        [
            *report,
            "WRONG:",
            *(f"  {item}" for item in wrong),
            "open incidents:",
            *incidents,
            "failed attempts:",
            *failed,
            "runs that failed:",
            *(f"  {error}" for error in errors_of_runs(world.environment)),
            "last steps:",
            *(f"  {step}" for step in schedule[-30:]),
            f"home: {world.home}; logs: {world.home / 'logs'}",
        ]
    )
