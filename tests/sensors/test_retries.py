from __future__ import annotations

import errno
from datetime import timedelta
from typing import TYPE_CHECKING

from dagster import DagsterRun, DagsterRunStatus
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from sluice.cost.budget import Estimate, Limits, Purpose, Request, SpendState
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import dagster as dg
    import pytest

    from resources.object_store import Listed, LocalObjectStore
    from sluice.history import Attempt
    from tests.world import World

DAY = "2026-11-03"
NEWS = '{"order_id": 2, "customer_id": 7, "amount": 1, "status": "paid"}'
LINE = '{"order_id": 1, "customer_id": 7, "amount": 9.5, "status": "paid"}'


class Broken:
    """The real store, of which one method fails."""

    def __init__(self, store: LocalObjectStore, error: Exception) -> None:
        self._store = store
        self._error = error

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:  # noqa: ARG002
        raise self._error


class Unlisted(Broken):
    """It cannot even be listed."""

    def list(self, prefix: str) -> Iterator[Listed]:  # noqa: ARG002
        raise self._error


RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
NOT_ALLOWED = PermissionError(errno.EACCES, "Permission denied")


def replace_store(world: World, store: object) -> None:
    world.ports["store"] = store
    world.__dict__.pop("definitions", None)


def fail(world: World, error: Exception, day: str = DAY, **tags: str) -> None:
    replace_store(world, Broken(world.store, error))
    assert not build(world, day, tags)
    replace_store(world, world.store)


def build(world: World, day: str, tags: dict[str, str]) -> bool:
    job = world.definitions.get_repository_def().get_job("build_orders")
    done = job.execute_in_process(instance=world.instance, partition_key=day, tags=tags, raise_on_error=False)
    return done.success


def tick(world: World) -> list[dg.RunRequest]:
    sensor = world.definitions.get_repository_def().get_sensor_def("retries")
    return list(world.evaluate(sensor, None).run_requests or [])


def wait(world: World, **time: float) -> None:
    world.clock.instant += timedelta(**time)


def test_a_transient_failure_is_retried_when_its_wait_is_over(world: World) -> None:
    world.land_orders(DAY, LINE)
    fail(world, RESET)

    wait(world, seconds=11)
    (asked,) = tick(world)

    assert (asked.job_name, asked.partition_key) == ("build_orders", DAY)
    assert asked.tags["sluice/purpose"] == "healing"
    assert build(world, DAY, dict(asked.tags))
    assert tick(world) == []
    assert len(world.rows("orders", DAY)) == 1


def test_the_remedy_is_kept_with_the_incident_once(world: World) -> None:
    world.land_orders(DAY, LINE)
    fail(world, RESET)

    tick(world)
    tick(world)

    (incident,) = world.ledger.incidents()
    assert incident.failure_class is FailureClass.TRANSIENT
    assert [item.kind for item in incident.remedies] == [RemedyKind.RETRY_LATER]
    assert incident.remedies[0].note.startswith("Retry 1 of 5, not before ")


def test_a_failure_that_time_does_not_heal_is_escalated_and_not_retried(world: World) -> None:
    world.land_orders(DAY, LINE)
    fail(world, NOT_ALLOWED)

    wait(world, days=1)

    assert tick(world) == []
    (incident,) = world.ledger.incidents()
    assert incident.failure_class is FailureClass.PERMISSION
    assert [item.kind for item in incident.remedies] == [RemedyKind.ESCALATE]


def test_retries_end_and_a_person_is_asked(world: World) -> None:
    world.land_orders(DAY, LINE)
    fail(world, RESET)
    runs = 0
    while True:
        wait(world, minutes=11)
        if not (asked := tick(world)):
            break
        fail(world, RESET, **dict(asked[0].tags))
        runs += 1

    assert runs == 5
    (incident,) = world.ledger.incidents()
    assert incident.remedies[-1].kind is RemedyKind.ESCALATE


def test_a_corrected_file_starts_anew(world: World) -> None:
    world.land_orders(DAY, LINE)
    fail(world, NOT_ALLOWED)
    wait(world, minutes=10)
    world.land_orders(DAY, LINE, name="b")

    fail(world, RESET)
    wait(world, minutes=1)

    assert len(tick(world)) == 1


def test_whoever_is_at_work_on_the_partition_is_left_alone(world: World) -> None:
    world.land_orders(DAY, LINE)
    fail(world, RESET)
    wait(world, minutes=1)
    job = world.definitions.get_repository_def().get_job("build_orders")
    run = world.instance.create_run_for_job(job, tags={"dagster/partition": DAY, "sluice/dataset": "orders"})
    world.instance.report_run_canceling(run)

    assert tick(world) == []


def test_a_killed_run_is_found_and_retried(world: World) -> None:
    world.land_orders(DAY, LINE)
    job = world.definitions.get_repository_def().get_job("build_orders")
    run = world.instance.create_run_for_job(job, tags={"dagster/partition": DAY, "sluice/dataset": "orders"})
    world.ledger.begin("orders", DAY, "a" * 16 + "-" + "b" * 12 + "-1", run.run_id, world.clock.now())
    world.instance.report_run_failed(run)

    tick(world)
    wait(world, minutes=1)

    assert len(tick(world)) == 1
    (incident,) = world.ledger.incidents()
    assert incident.evidence == "The process that executed the run was killed."


def test_a_run_that_was_killed_before_its_first_step_is_found_and_retried(world: World) -> None:
    world.land_orders(DAY, LINE)
    sensor = world.definitions.get_repository_def().get_sensor_def("arrivals")
    (asked,) = world.evaluate(sensor, None).run_requests or []
    job = world.definitions.get_repository_def().get_job("build_orders")
    run = world.instance.create_run_for_job(job, tags={**asked.tags, "dagster/partition": DAY})
    world.instance.report_run_failed(run)

    assert tick(world) == []
    wait(world, minutes=1)
    (retry,) = tick(world)

    assert build(world, DAY, dict(retry.tags))
    assert tick(world) == []
    (incident,) = world.ledger.incidents()
    assert incident.resolved_by == "sluice"


def test_a_run_whose_partition_was_tried_since_is_not_mourned(world: World) -> None:
    world.land_orders(DAY, LINE)
    sensor = world.definitions.get_repository_def().get_sensor_def("arrivals")
    (asked,) = world.evaluate(sensor, None).run_requests or []
    job = world.definitions.get_repository_def().get_job("build_orders")
    run = world.instance.create_run_for_job(job, tags={**asked.tags, "dagster/partition": DAY})
    world.instance.report_run_failed(run)
    wait(world, seconds=30)
    assert build(world, DAY, {})

    assert tick(world) == []
    assert world.ledger.incidents() == ()


def test_a_run_that_was_killed_in_the_queue_does_not_take_along_what_arrived_meanwhile(world: World) -> None:
    waiting = run_that_waits_while_news_arrive(world)
    world.instance.report_run_failed(waiting)

    assert tick(world) == []
    wait(world, minutes=1)
    (retry,) = tick(world)

    assert build(world, DAY, dict(retry.tags))
    assert len(world.rows("orders", DAY)) == 2
    assert tick(world) == []
    assert world.ledger.incidents(open_only=True) == ()


def test_a_run_that_failed_before_it_read_anything_does_not_take_along_what_arrived_meanwhile(world: World) -> None:
    waiting = run_that_waits_while_news_arrive(world)
    replace_store(world, Unlisted(world.store, RESET))
    assert not build(world, DAY, dict(waiting.tags))
    replace_store(world, world.store)
    world.instance.delete_run(waiting.run_id)  # the run that failed stands for it, with its tags

    wait(world, minutes=1)
    (retry,) = tick(world)

    assert build(world, DAY, dict(retry.tags))
    assert len(world.rows("orders", DAY)) == 2


def run_that_waits_while_news_arrive(world: World) -> dg.DagsterRun:
    """Nobody asks for the news, because a run waits; and an earlier run has published what that one was asked for."""
    world.land_orders(DAY, LINE)
    asked, cursor = arrivals(world, None)
    waiting = queued(world, asked)
    assert build(world, DAY, {})
    world.land_orders(DAY, NEWS, name="b")
    assert arrivals(world, cursor)[0] == []
    return waiting


def arrivals(world: World, cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
    sensor = world.definitions.get_repository_def().get_sensor_def("arrivals")
    result = world.evaluate(sensor, cursor)
    return list(result.run_requests or []), result.cursor


def queued(world: World, asked: list[dg.RunRequest]) -> dg.DagsterRun:
    (request,) = asked
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("sluice"), "shop"), "build_orders")
    run = DagsterRun(
        job_name="build_orders",
        status=DagsterRunStatus.QUEUED,
        tags={**request.tags, "dagster/partition": DAY},
        remote_job_origin=origin,
    )
    return world.instance.add_run(run)


def test_what_a_person_stopped_is_not_started_again(world: World) -> None:
    world.land_orders(DAY, LINE)
    job = world.definitions.get_repository_def().get_job("build_orders")
    run = world.instance.create_run_for_job(job, tags={"dagster/partition": DAY, "sluice/dataset": "orders"})
    version = "a" * 16 + "-" + "b" * 12 + "-1"
    attempt = world.ledger.begin("orders", DAY, version, run.run_id, world.clock.now())
    world.ledger.end(attempt, world.clock.now(), "interrupted", FailureClass.TRANSIENT)
    world.instance.report_run_canceled(run)
    wait(world, minutes=1)

    assert tick(world) == []


def test_many_failures_at_once_lead_to_few_runs(world: World) -> None:
    for number in range(1, 21):
        version = f"{number:016x}-{'b' * 12}-1"
        attempt = world.ledger.begin("orders", f"2026-11-{number:02d}", version, f"run-{number}", world.clock.now())
        world.ledger.end(attempt, world.clock.now(), "boom", FailureClass.TRANSIENT)
    wait(world, minutes=1)

    assert len(tick(world)) == 10


def test_an_automated_run_that_was_killed_before_its_first_step_is_retried(world: World) -> None:
    import dagster as dg

    job = world.definitions.get_repository_def().get_job("__ASSET_JOB")
    selected = frozenset(dg.AssetKey([zone, "revenue"]) for zone in ("processed", "quarantine", "tables"))
    run = world.instance.create_run_for_job(job, tags={"dagster/partition": DAY}, asset_selection=selected)
    world.instance.report_run_failed(run)

    assert tick(world) == []
    wait(world, minutes=1)
    (retry,) = tick(world)

    assert (retry.job_name, retry.partition_key) == ("build_revenue", DAY)


def test_what_a_run_tried_and_did_not_publish_itself_is_over_when_the_run_is(world: World) -> None:
    world.land_orders(DAY, LINE)
    assert build(world, DAY, {})
    (run,) = world.instance.get_runs()
    world.ledger.begin("orders", DAY, "a" * 16 + "-" + "b" * 12 + "-1", run.run_id, world.clock.now())

    assert tick(world) == []

    assert world.ledger.open_attempts() == ()


def test_what_a_dead_run_had_reserved_is_given_back_though_nothing_is_built_again(world: World) -> None:
    job = world.definitions.get_repository_def().get_job("build_orders")
    run = world.instance.create_run_for_job(job, tags={"dagster/partition": DAY, "sluice/dataset": "orders"})
    estimate = Estimate(seconds=10, bytes_in=1, objects=1, usd=0.5, basis="a test")
    request = Request("orders", DAY, "v", run.run_id, DAY[:7], Purpose.BUILD, estimate)
    world.ledger.reserve(request, Limits(), world.clock.now() - timedelta(minutes=1))
    tick(world)
    while_at_work = world.ledger.open_spends()

    world.instance.report_run_failed(run)
    tick(world)

    assert len(while_at_work) == 1
    (spend,) = world.ledger.spends("orders")
    assert (spend.state, spend.actual_usd) == (SpendState.KILLED, 0.5)


def test_a_run_that_ends_its_attempt_while_it_is_looked_at_keeps_its_own_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.definitions.get_repository_def().get_job("build_orders")
    run = world.instance.create_run_for_job(job, tags={"dagster/partition": DAY, "sluice/dataset": "orders"})
    attempt = world.ledger.begin("orders", DAY, "a" * 16 + "-" + "b" * 12 + "-1", run.run_id, world.clock.now())
    look = world.ledger.open_attempts

    def look_and_end() -> tuple[Attempt, ...]:
        seen = look()
        if seen:
            world.ledger.end(attempt, world.clock.now(), "not allowed", FailureClass.PERMISSION)
            world.instance.report_run_failed(run)
        return seen

    monkeypatch.setattr(world.ledger, "open_attempts", look_and_end)
    tick(world)

    last = world.ledger.last_attempt("orders", DAY)
    assert last is not None
    assert (last.error, last.failure_class) == ("not allowed", FailureClass.PERMISSION)
