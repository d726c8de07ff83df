"""Which partitions go back, to which version, and what is to be built again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sluice.contract import Column, Contract, FileFormat, Source
from sluice.datatypes import Integer
from sluice.derivation import derived_manifest
from sluice.errors import RewindRefused
from sluice.publishing import Effect, Held, decide_publication
from sluice.rewinding import (
    NOTHING,
    AtSnapshot,
    AtTime,
    BeforeRun,
    Commit,
    Point,
    Rewind,
    Shown,
    Step,
    downstream,
    locate,
    outcome_of_nothing,
    parse_point,
    plan_rewind,
)
from sluice.version import Version

if TYPE_CHECKING:
    from sluice.outcome import Outcome

DAY, NEXT_DAY = "2026-11-20", "2026-11-21"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
A, B, C = (Version(letter * 16, "c" * 12, "1") for letter in "abd")


def published(number: int, version: Version, day: str = DAY) -> Commit:
    return Commit(100 + number, number, NOON + timedelta(hours=number), {day: version}, f"run-{number}-long")


def rewound(number: int, shows: dict[str, Version]) -> Commit:
    return Commit(100 + number, number, NOON + timedelta(hours=number), shows)


HISTORY = (published(1, A), published(2, A, NEXT_DAY), published(3, B))


@pytest.mark.parametrize(
    ("text", "point"),
    [
        pytest.param("5712345678901234567", AtSnapshot(5712345678901234567), id="snapshot"),
        pytest.param("2026-11-22T12:00:00Z", AtTime(NOON), id="instant in UTC"),
        pytest.param("2026-11-22T14:00+02:00", AtTime(NOON), id="instant with an offset"),
        pytest.param("8d1f9a2b", BeforeRun("8d1f9a2b"), id="run id as Dagster cuts it"),
        pytest.param("76599205", BeforeRun("76599205"), id="run id without a letter"),
    ],
)
def test_a_point_is_a_snapshot_an_instant_or_a_run(text: str, point: Point) -> None:
    assert parse_point(text) == point


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("2026-11-22T12:00:00", "has no zone", id="instant without zone"),
        pytest.param("2026-11-22", "has no zone", id="date"),
        pytest.param("8d1f", "too short for a run id", id="short"),
        pytest.param("", "too short for a run id", id="nothing"),
    ],
)
def test_other_text_is_refused_with_a_cure(text: str, said: str) -> None:
    with pytest.raises(RewindRefused, match=said):
        parse_point(text)


@pytest.mark.parametrize(
    ("point", "snapshot_id"),
    [
        pytest.param(AtSnapshot(102), 102, id="snapshot"),
        pytest.param(AtTime(NOON + timedelta(hours=2)), 102, id="the instant of a commit"),
        pytest.param(AtTime(NOON + timedelta(hours=2.9)), 102, id="between two commits"),
        pytest.param(AtTime(NOON + timedelta(days=9)), 103, id="now"),
        pytest.param(BeforeRun("run-3-lo"), 102, id="before a run"),
        pytest.param(BeforeRun("run-1-long"), None, id="before the first run of all"),
    ],
)
def test_a_point_is_found_in_the_history(point: Point, snapshot_id: int | None) -> None:
    assert locate(point, HISTORY) == snapshot_id


@pytest.mark.parametrize(
    ("point", "said"),
    [
        pytest.param(AtSnapshot(7), "does not know a snapshot 7", id="snapshot"),
        pytest.param(AtTime(NOON), "knows nothing of 2026-11-22T12:00:00", id="too early"),
        pytest.param(BeforeRun("run-9-long"), "knows no commit of run run-9-long", id="run"),
    ],
)
def test_a_point_outside_the_history_is_refused_with_the_oldest_there_is(point: Point, said: str) -> None:
    with pytest.raises(RewindRefused, match=f"{said}.* snapshot 101 of 2026-11-22T13:00:00"):
        locate(point, HISTORY)


def test_what_preceded_the_oldest_known_commit_is_not_guessed() -> None:
    with pytest.raises(RewindRefused, match="does not know any more"):
        locate(BeforeRun("run-2-long"), HISTORY[1:])


def test_a_table_without_commits_has_no_point() -> None:
    with pytest.raises(RewindRefused, match="Nothing has been published"):
        locate(AtSnapshot(1), ())


def test_a_run_id_that_is_cut_too_short_is_ambiguous() -> None:
    with pytest.raises(RewindRefused, match="Several runs begin with run-"):
        locate(BeforeRun("run-"), HISTORY)


def plan(
    to: int | None,
    commits: tuple[Commit, ...],
    shown: Version,
    *taken_back: Version,
    files_say: dict[str, Version] | None = None,
) -> Step:
    table = Shown({DAY: Held(shown, 9, 1), NEXT_DAY: Held(A, 2, 1)}, {DAY: frozenset(taken_back)})
    rewind = plan_rewind("orders", to, commits, table, files_say or {}, DAY)
    (step,) = rewind.steps
    return step


def test_a_partition_goes_back_to_its_version_at_that_point() -> None:
    assert plan(102, HISTORY, B) == Step(DAY, shown=B, target=A, taken_back=frozenset({B}))


def test_partitions_that_did_not_change_since_are_not_touched() -> None:
    table = Shown({DAY: Held(B, 3, 103), NEXT_DAY: Held(A, 2, 102)})

    assert [step.partition for step in plan_rewind("orders", 102, HISTORY, table, {}).steps] == [DAY]


def test_a_partition_that_was_not_published_then_shows_nothing() -> None:
    assert plan(None, HISTORY, B) == Step(DAY, shown=B, target=NOTHING, taken_back=frozenset({A, B}))


def test_files_tell_the_version_of_a_commit_that_is_forgotten() -> None:
    assert plan(102, HISTORY[1:], B, files_say={DAY: A}).target == A


def test_a_known_commit_is_believed_before_files() -> None:
    assert plan(102, HISTORY, B, files_say={DAY: C}).target == A


def test_a_second_rewind_changes_nothing_and_keeps_what_was_taken_back() -> None:
    step = plan(102, (*HISTORY, rewound(4, {DAY: A})), A, B)

    assert not step.changes
    assert step.taken_back == {B}


def test_undoing_a_rewind_takes_nothing_back() -> None:
    assert plan(103, (*HISTORY, rewound(4, {DAY: A})), A, B) == Step(DAY, shown=A, target=B)


def test_undoing_takes_back_what_was_published_behind_the_rewind() -> None:
    step = plan(103, (*HISTORY, rewound(4, {DAY: A}), published(5, C)), C, B)

    assert step == Step(DAY, shown=C, target=B, taken_back=frozenset({C}))


def test_what_an_earlier_rewind_took_back_stays_out_after_a_later_one() -> None:
    step = plan(104, (*HISTORY, rewound(4, {DAY: A}), published(5, C)), C, B)

    assert step == Step(DAY, shown=C, target=A, taken_back=frozenset({B, C}))


def test_a_partition_without_files_is_never_condemned_to_publish_none() -> None:
    step = plan(101, (published(1, A), rewound(2, {DAY: NOTHING}), published(3, B)), B, NOTHING)

    assert step.taken_back == {B}


@pytest.mark.parametrize(
    ("version", "sequence", "effect"),
    [
        pytest.param(B, 3, Effect.REWOUND, id="delivered again"),
        pytest.param(B, 7, Effect.REWOUND, id="returned later"),
        pytest.param(C, 7, Effect.COMMITTED, id="a corrected file"),
        pytest.param(C, 3, Effect.COMMITTED, id="the same file under a corrected contract"),
        pytest.param(C, 2, Effect.SUPERSEDED, id="a slow writer of an older manifest"),
    ],
)
def test_what_was_taken_back_is_not_published_and_anything_newer_is(
    version: Version, sequence: int, effect: Effect
) -> None:
    assert decide_publication(Held(A, 3, 1), version, sequence, frozenset({B})) is effect


def test_nothing_has_an_outcome_whose_balance_closes() -> None:
    outcome = outcome_of_nothing("orders", DAY)

    assert outcome.version == NOTHING
    assert (outcome.records_in, outcome.published, outcome.files) == (0, 0, ())


SOURCE = Source("orders/date={date}/*.jsonl", FileFormat.JSONL)
ORDERS = Contract("orders", "1.0.0", (Column("n", Integer()),), source=SOURCE)
CUSTOMERS = replace(ORDERS, dataset="customers")
REVENUE = replace(ORDERS, dataset="revenue", source=None, transform_sql="select n from orders join customers using (n)")
REPORT = replace(ORDERS, dataset="report", source=None, transform_sql="select n from revenue")
CONTRACTS = {item.dataset: item for item in (REPORT, REVENUE, CUSTOMERS, ORDERS)}
REWIND = Rewind("orders", 102, (Step(DAY, B, A),))


def shown(dataset: str, version: Version, day: str = DAY) -> Outcome:
    return outcome_of_nothing(dataset, day).model_copy(
        update={
            "fingerprint": version.fingerprint,
            "contract_fingerprint": version.contract,
            "code_version": version.code,
        }
    )


def revenue_from(orders: Version, day: str = DAY) -> Outcome:
    manifest = derived_manifest("revenue", day, {"orders": orders, "customers": C})
    return shown("revenue", Version(manifest.fingerprint, "c" * 12, "1"), day)


def report_from(revenue: Outcome) -> Outcome:
    manifest = derived_manifest("report", revenue.partition, {"revenue": revenue.version})
    return shown("report", Version(manifest.fingerprint, "c" * 12, "1"), revenue.partition)


def test_what_was_built_from_the_bad_version_is_built_again_and_so_is_what_reads_that() -> None:
    bad = revenue_from(B)
    held = (shown("orders", B), shown("customers", C), bad, report_from(bad))

    assert downstream(REWIND, CONTRACTS, held) == (("revenue", DAY), ("report", DAY))


def test_what_was_not_built_again_since_stays() -> None:
    good = revenue_from(A)
    held = (shown("orders", B), shown("customers", C), good, report_from(good))

    assert downstream(REWIND, CONTRACTS, held) == ()


def test_other_partitions_and_unpublished_ones_are_not_listed() -> None:
    held = (shown("orders", B), shown("customers", C), shown("customers", C, NEXT_DAY), revenue_from(B, NEXT_DAY))

    assert downstream(REWIND, CONTRACTS, held) == ()
