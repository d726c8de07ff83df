"""Planned backfills: what is chosen, in which order, and what happens next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sluice.backfill.chunk import Chunking
from sluice.backfill.plan import Asked, Only, Plan, Target, plan_backfill, world_of
from sluice.backfill.progress import Backfill, Next, Progress, Stage, decide_next, progress_of
from sluice.contract import Column, Consumer, Contract, FileFormat, Source
from sluice.cost.budget import Estimate
from sluice.datatypes import Integer
from sluice.healing.killed import KILLED
from sluice.history import Attempt
from sluice.partition_state import Change, PartitionStatus, State

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
COLUMNS = (Column("id", Integer(64)),)


def landed(name: str) -> Contract:
    return Contract(name, "1.0.0", COLUMNS, source=Source(f"{name}/{{date}}/*", FileFormat.JSONL), owner="shop")


def derived(name: str, *inputs: str) -> Contract:
    sql = " UNION ALL ".join(f"SELECT id FROM {source}" for source in inputs)
    return Contract(name, "1.0.0", COLUMNS, transform_sql=sql, owner="finance")


CONTRACTS: Mapping[str, Contract] = {
    "orders": landed("orders"),
    "revenue": derived("revenue", "orders"),
    "report": derived("report", "revenue"),
}


def status(dataset: str, day: int, state: State) -> PartitionStatus:
    return PartitionStatus(dataset, f"2026-11-{day:02}", state)


STATUSES = (
    status("orders", 1, State.PUBLISHED),
    status("orders", 2, State.PENDING),
    status("orders", 3, State.FAILED),
    status("orders", 4, State.BLOCKED),
    status("orders", 5, State.STALE),
    status("orders", 6, State.REWOUND),
    status("orders", 7, State.RUNNING),
    status("revenue", 1, State.PUBLISHED),
    status("revenue", 5, State.STALE),
)


def plan(*datasets: str, first: str | None = None, last: str | None = None, only: Only | None = None) -> Plan:
    asked = Asked(datasets=datasets or ("orders",), first=first, last=last, only=only)
    return plan_backfill(asked, STATUSES, CONTRACTS, lambda *_: Estimate(2.0, 100, 3, 0.5), "world", NOW)


def days(planned: Plan, dataset: str = "orders") -> list[int]:
    return [int(item.partition[-2:]) for item in planned.targets if item.dataset == dataset]


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        pytest.param(None, [5, 4, 3, 2], id="all that are not right"),
        pytest.param(Only.ALL, [5, 4, 3, 2], id="all"),
        pytest.param(Only.MISSING, [2], id="missing"),
        pytest.param(Only.FAILED, [4, 3], id="failed"),
        pytest.param(Only.STALE, [5], id="stale"),
    ],
)
def test_partitions_are_chosen_by_their_state_newest_first(only: Only | None, chosen: list[int]) -> None:
    assert days(plan(only=only)) == chosen


def test_a_range_has_both_its_ends() -> None:
    assert days(plan(first="2026-11-03", last="2026-11-04")) == [4, 3]


def test_what_needs_nothing_is_counted() -> None:
    assert plan().as_they_should_be == 1
    assert plan("orders", "revenue").as_they_should_be == 2


def test_what_is_derived_follows_its_inputs_date_by_date() -> None:
    planned = plan("revenue", "orders", only=Only.STALE)

    assert [item.place for item in planned.targets] == [("orders", "2026-11-05"), ("revenue", "2026-11-05")]


def test_a_derived_partition_is_built_because_its_input_is() -> None:
    planned = plan("orders", "revenue", only=Only.MISSING)

    assert [(item.dataset, item.why) for item in planned.targets] == [
        ("orders", "nothing is published"),
        ("revenue", "an input is built again"),
    ]


def test_what_it_reaches_is_told_with_its_owner() -> None:
    reached = plan("orders", only=Only.STALE).reaches

    assert [(item.dataset, item.partitions, item.owner) for item in reached] == [
        ("revenue", ("2026-11-05",), "finance"),
        ("report", ("2026-11-05",), "finance"),
    ]


def test_consumers_of_what_is_built_and_of_what_is_reached_are_told() -> None:
    finance, board = Consumer("Finance", "finance@example.com", "closing"), Consumer("Board")
    contracts = {
        **CONTRACTS,
        "orders": replace(CONTRACTS["orders"], consumers=(finance,)),
        "report": replace(CONTRACTS["report"], consumers=(board,)),
    }
    asked = Asked(datasets=("orders",), only=Only.STALE)

    planned = plan_backfill(asked, STATUSES, contracts, lambda *_: Estimate(2.0, 100, 3, 0.5), "world", NOW)

    assert [str(item) for item in planned.consumers] == [
        "Finance (finance@example.com) reads orders for closing",
        "Board reads report",
    ]
    assert Plan.model_validate_json(planned.model_dump_json()) == planned


@pytest.mark.parametrize(
    ("dataset", "changed", "why"),
    [
        pytest.param("orders", (Change.FILES,), "changed since: files", id="files"),
        pytest.param("revenue", (Change.FILES,), "changed since: inputs", id="inputs"),
        pytest.param("orders", (Change.CONTRACT,), "changed since: contract", id="contract"),
        pytest.param("orders", (Change.CODE,), "changed since: code", id="code"),
        pytest.param("orders", tuple(Change), "changed since: files, contract, code", id="all"),
    ],
)
def test_what_has_changed_is_told_of_a_stale_partition(dataset: str, changed: tuple[Change, ...], why: str) -> None:
    stale = replace(status(dataset, 5, State.STALE), changed=changed)
    asked = Asked(datasets=(dataset,), only=Only.STALE)

    planned = plan_backfill(asked, [stale], CONTRACTS, lambda *_: Estimate(2.0, 100, 3, 0.5), "world", NOW)

    assert [item.why for item in planned.targets] == [why]


def test_only_stale_takes_in_what_is_derived_from_stale_partitions_over_several_steps() -> None:
    planned = plan("orders", "revenue", "report", only=Only.STALE)

    assert [(item.place, item.why) for item in planned.targets] == [
        (("orders", "2026-11-05"), "files, inputs, contract or code have changed since"),
        (("revenue", "2026-11-05"), "files, inputs, contract or code have changed since"),
        (("report", "2026-11-05"), "an input is built again"),
    ]


@pytest.mark.parametrize(
    ("states", "follows"),
    [
        pytest.param({"orders": State.STALE}, False, id="the other input is not there"),
        pytest.param({"orders": State.STALE, "rates": State.FAILED}, False, id="the other input failed"),
        pytest.param({"orders": State.STALE, "rates": State.PUBLISHED}, True, id="the other input is published"),
        pytest.param({"orders": State.STALE, "rates": State.STALE}, True, id="both are built"),
        pytest.param(
            {"orders": State.STALE, "rates": State.FAILED, "margin": State.PUBLISHED}, True, id="it was derived before"
        ),
    ],
)
def test_what_is_derived_follows_only_when_no_input_will_be_missing(
    states: Mapping[str, State],
    follows: bool,  # noqa: FBT001
) -> None:
    contracts = {"orders": landed("orders"), "rates": landed("rates"), "margin": derived("margin", "orders", "rates")}
    statuses = [status(name, 5, state) for name, state in states.items()]
    estimate = Estimate(2.0, 100, 3, 0.5)
    named = Asked(datasets=("orders", "rates", "margin"), only=Only.STALE)

    planned = plan_backfill(named, statuses, contracts, lambda *_: estimate, "world", NOW)
    reaching = plan_backfill(Asked(datasets=("orders", "rates")), statuses, contracts, lambda *_: estimate, "-", NOW)

    assert ("margin" in {item.dataset for item in planned.targets}) is follows
    assert planned.reaches == ()
    assert any(item.dataset == "margin" for item in reaching.reaches) is (follows or "rates" in states)


def test_what_is_part_of_the_plan_is_not_reached_by_it() -> None:
    assert [item.dataset for item in plan("orders", "revenue", only=Only.STALE).reaches] == ["report"]


def test_estimates_are_summed() -> None:
    planned = plan()

    assert (planned.seconds, planned.bytes_in, planned.usd) == (8.0, 400, 2.0)


def test_a_plan_is_read_back_as_it_was_written() -> None:
    planned = plan("orders", "revenue")

    assert Plan.model_validate_json(planned.model_dump_json()) == planned


ORDERS = ("orders", "2026-11-05", "f1")


@pytest.mark.parametrize(
    ("contracts", "landed_since"),
    [
        pytest.param(CONTRACTS, ("orders", "2026-11-05", "f2"), id="a file was overwritten"),
        pytest.param(CONTRACTS, ("orders", "2026-11-06", "f1"), id="another date"),
        pytest.param(
            {**CONTRACTS, "orders": replace(CONTRACTS["orders"], fingerprint="other")}, ORDERS, id="another contract"
        ),
    ],
)
def test_the_world_moves(contracts: Mapping[str, Contract], landed_since: tuple[str, str, str]) -> None:
    assert world_of(contracts, [landed_since]) != world_of(CONTRACTS, [ORDERS])


def test_newer_code_is_another_world() -> None:
    assert world_of(CONTRACTS, [ORDERS], "next") != world_of(CONTRACTS, [ORDERS])


def test_the_world_is_the_same_in_any_order() -> None:
    other = ("orders", "2026-11-06", "f1")

    assert world_of(CONTRACTS, [ORDERS, other]) == world_of(dict(reversed(list(CONTRACTS.items()))), [other, ORDERS])


PLANNED = plan("orders", "revenue")
RUNNING = Backfill(PLANNED, Stage.RUNNING, NOW, started_at=NOW)
CANARY, FOLLOWER, *REST = PLANNED.targets


def attempt(started_at: datetime) -> Attempt:
    return Attempt("orders", "2026-11-05", "v", 1, "run", started_at, started_at, "it broke")


def progress(last: Attempt | None, *statuses: PartitionStatus, at_work: tuple[tuple[str, str], ...] = ()) -> Progress:
    return progress_of(RUNNING, statuses, lambda *_: last, at_work)


def test_what_is_published_is_done() -> None:
    found = progress(None, status("orders", 5, State.PUBLISHED))

    assert found.done == (CANARY,)
    assert CANARY not in found.waiting


@pytest.mark.parametrize(
    ("last", "failed"),
    [
        pytest.param(attempt(NOW + MINUTE), True, id="tried since"),
        pytest.param(attempt(NOW - MINUTE), False, id="before the plan was launched"),
        pytest.param(None, False, id="never tried"),
    ],
)
def test_a_failure_counts_from_the_launch_on(last: Attempt | None, failed: bool) -> None:  # noqa: FBT001
    found = progress(last, status("orders", 5, State.FAILED))

    assert (CANARY in found.failed, CANARY in found.waiting) == (failed, not failed)


@pytest.mark.parametrize(
    ("statuses", "at_work"),
    [
        pytest.param((), (("orders", "2026-11-05"),), id="queued"),
        pytest.param((status("orders", 5, State.RUNNING),), (), id="at work"),
    ],
)
def test_what_a_run_works_on_is_running(
    statuses: tuple[PartitionStatus, ...], at_work: tuple[tuple[str, str], ...]
) -> None:
    assert progress(None, *statuses, at_work=at_work).running == (CANARY,)


def test_who_dies_again_and_again_is_given_up() -> None:
    found = progress_of(RUNNING, (), lambda *_: None, (), given_up=[CANARY.place])

    assert found.failed == (CANARY,)


def stand(**places: tuple[object, ...]) -> Progress:
    return Progress(**{name: places.get(name, ()) for name in ("done", "failed", "running", "waiting", "held")})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stands", "decided"),
    [
        pytest.param(stand(waiting=(CANARY, FOLLOWER, *REST)), Next(((CANARY,),)), id="the canary goes alone"),
        pytest.param(stand(running=(CANARY,), waiting=(FOLLOWER, *REST)), Next(), id="the others wait for it"),
        pytest.param(
            stand(failed=(CANARY,), waiting=(FOLLOWER, *REST)),
            Next((), Stage.PAUSED, "the canary failed: orders 2026-11-05"),
            id="its failure pauses the plan",
        ),
        pytest.param(stand(done=(CANARY,), waiting=(FOLLOWER,)), Next(((FOLLOWER,),)), id="then the rest begins"),
        pytest.param(
            stand(done=(CANARY,), waiting=tuple(REST[:2])),
            Next(((REST[0],),)),
            id="what is derived waits for its input",
        ),
        pytest.param(stand(held=(CANARY,), waiting=(FOLLOWER,)), Next(), id="they wait while a breaker holds it"),
        pytest.param(stand(done=(CANARY,), held=(FOLLOWER,)), Next(), id="what is held is released by others"),
        pytest.param(
            stand(done=(CANARY,), failed=(FOLLOWER,)), Next((), Stage.DONE, "1 published, 1 failed"), id="the end"
        ),
    ],
)
def test_what_happens_next(stands: Progress, decided: Next) -> None:
    assert decide_next(RUNNING, stands, CONTRACTS, 3) == decided


def test_no_more_runs_begin_than_are_allowed() -> None:
    stands = stand(done=(CANARY,), waiting=(FOLLOWER,))

    assert decide_next(RUNNING, stands, CONTRACTS, 3, ["orders"] * 3) == Next()
    assert decide_next(RUNNING, stands, CONTRACTS, 3, ["orders"] * 2) == Next(((FOLLOWER,),))


MANY = tuple(Target(dataset="orders", partition=f"2026-11-{day:02}", why="", seconds=2.0) for day in range(28, 0, -1))


def in_chunks(most: int) -> Backfill:
    return replace(RUNNING, plan=PLANNED.model_copy(update={"targets": MANY, "chunking": Chunking(partitions=most)}))


def test_the_canary_is_in_no_chunk() -> None:
    assert decide_next(in_chunks(10), stand(waiting=MANY), CONTRACTS, 10) == Next((MANY[:1],))


def test_two_chunks_of_a_dataset_are_at_work_at_once() -> None:
    stands = stand(done=MANY[:1], waiting=MANY[1:])

    begun = decide_next(in_chunks(10), stands, CONTRACTS, 10)
    more = decide_next(in_chunks(10), stands, CONTRACTS, 10, ["orders"])

    assert begun == Next((MANY[1:11], MANY[11:21]))
    assert more == Next((MANY[1:11],))


def test_a_chunk_of_one_is_a_run_as_ever() -> None:
    begun = decide_next(in_chunks(1), stand(done=MANY[:1], waiting=MANY[1:]), CONTRACTS, 10)

    assert begun == Next(tuple((item,) for item in MANY[1:11]))


@pytest.mark.parametrize(
    ("state", "expected"),
    [pytest.param(State.HELD, "held", id="a breaker"), pytest.param(State.PUBLISHED, "done", id="published meanwhile")],
)
def test_what_a_chunk_has_passed_does_not_count_as_running(state: State, expected: str) -> None:
    found = progress(None, status("orders", 5, state), at_work=(CANARY.place,) if expected == "done" else ())

    assert getattr(found, expected) == (CANARY,)


def test_what_was_killed_is_tried_again_by_who_goes_on() -> None:
    killed = replace(attempt(NOW + MINUTE), error=KILLED.message)
    resumed = replace(RUNNING, changed_at=NOW + 2 * MINUTE)
    statuses = (status("orders", 5, State.FAILED),)

    assert progress_of(RUNNING, statuses, lambda *_: killed, ()).failed[:1] == (CANARY,)
    assert progress_of(resumed, statuses, lambda *_: killed, ()).waiting[:1] == (CANARY,)


@pytest.mark.parametrize("stage", [Stage.PLANNED, Stage.PAUSED, Stage.DONE])
def test_nothing_begins_unless_the_plan_runs(stage: Stage) -> None:
    assert decide_next(replace(RUNNING, stage=stage), stand(waiting=(CANARY,)), CONTRACTS, 3) == Next()


def test_who_resumes_has_seen_that_the_canary_failed() -> None:
    resumed = replace(RUNNING, changed_at=NOW + MINUTE)

    decided = decide_next(resumed, stand(failed=(CANARY,), waiting=(FOLLOWER,)), CONTRACTS, 3)

    assert decided == Next(((FOLLOWER,),))
