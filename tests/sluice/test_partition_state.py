from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sluice.history import Attempt, Published
from sluice.outcome import ObjectBalance, Outcome
from sluice.partition_state import Change, GateState, PartitionStatus, State, state_of, status_of
from sluice.version import Version

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
OLD = Version("a" * 16, "c" * 12, "1")
NEW = Version("b" * 16, "c" * 12, "1")


def attempt(version: Version, *, ended: bool, error: str | None = None) -> Attempt:
    return Attempt("orders", "2026-11-01", str(version), 1, "run", NOON, NOON if ended else None, error)


@pytest.mark.parametrize(
    ("wanted", "held", "last_try", "state"),
    [
        pytest.param(NEW, None, None, State.PENDING, id="never tried"),
        pytest.param(None, None, None, State.PENDING, id="not noticed yet"),
        pytest.param(NEW, None, attempt(OLD, ended=True, error="boom"), State.PENDING, id="another version failed"),
        pytest.param(NEW, None, attempt(NEW, ended=False), State.RUNNING, id="begun"),
        pytest.param(NEW, OLD, attempt(NEW, ended=False), State.RUNNING, id="begun over an older one"),
        pytest.param(NEW, None, attempt(NEW, ended=True, error="boom"), State.FAILED, id="failed"),
        pytest.param(NEW, OLD, attempt(NEW, ended=True, error="boom"), State.FAILED, id="failed over an older one"),
        pytest.param(NEW, OLD, None, State.STALE, id="changed since"),
        pytest.param(None, OLD, None, State.STALE, id="changed and not noticed yet"),
        pytest.param(NEW, OLD, attempt(OLD, ended=True), State.STALE, id="the older one succeeded"),
        pytest.param(NEW, NEW, attempt(NEW, ended=True), State.PUBLISHED, id="published"),
        pytest.param(NEW, NEW, attempt(NEW, ended=False), State.PUBLISHED, id="published, then killed"),
    ],
)
def test_state_follows_from_what_is_wanted_held_and_tried(
    wanted: Version | None, held: Version | None, last_try: Attempt | None, state: State
) -> None:
    assert state_of(wanted, held, last_try) is state


def test_numbers_are_those_of_what_the_table_holds() -> None:
    balances = (
        ObjectBalance(key="a", etag="1", records_in=10, published=7, quarantined=2, duplicates=1),
        ObjectBalance(key="b", etag="2", records_in=1, published=0, quarantined=1, duplicates=0),
    )
    outcome = Outcome(
        dataset="orders",
        partition="2026-11-01",
        fingerprint=OLD.fingerprint,
        contract_version="1.0.0",
        contract_fingerprint=OLD.contract,
        code_version=OLD.code,
        run_id="run",
        objects=balances,
        files=(),
        quarantine_files=(),
    )

    described = status_of(
        "orders",
        "2026-11-01",
        wanted=NEW,
        published=Published(outcome, 1, NOON),
        last_try=attempt(NEW, ended=True, error="boom"),
    )

    assert described == PartitionStatus("orders", "2026-11-01", State.FAILED, 11, 7, 3, 1, "boom")


def published(version: Version) -> Published:
    outcome = Outcome(
        dataset="orders",
        partition="2026-11-01",
        fingerprint=version.fingerprint,
        contract_version="1.0.0",
        contract_fingerprint=version.contract,
        code_version=version.code,
        run_id="run",
        objects=(),
        files=(),
        quarantine_files=(),
    )
    return Published(outcome, 1, NOON)


@pytest.mark.parametrize(
    ("wanted", "changed"),
    [
        pytest.param(NEW, (Change.FILES,), id="files"),
        pytest.param(replace(OLD, contract="d" * 12), (Change.CONTRACT,), id="contract"),
        pytest.param(replace(OLD, code="2"), (Change.CODE,), id="code"),
        pytest.param(Version("b" * 16, "d" * 12, "2"), tuple(Change), id="all"),
        pytest.param(OLD, (), id="nothing"),
        pytest.param(None, (), id="not noticed yet"),
    ],
)
def test_a_stale_partition_says_what_has_changed(wanted: Version | None, changed: tuple[Change, ...]) -> None:
    described = status_of("orders", "2026-11-01", wanted=wanted, published=published(OLD), last_try=None)

    assert described.changed == changed


def test_an_error_that_was_overcome_is_not_shown() -> None:
    described = status_of(
        "orders", "2026-11-01", wanted=NEW, published=None, last_try=attempt(OLD, ended=True, error="boom")
    )

    assert described == PartitionStatus("orders", "2026-11-01", State.PENDING)


@pytest.mark.parametrize(
    ("gate", "state", "error"),
    [
        pytest.param(GateState.OPEN, State.FAILED, "boom", id="no gate stopped it"),
        pytest.param(GateState.CLOSED, State.BLOCKED, "boom", id="a gate stopped it"),
        pytest.param(GateState.ACCEPTED, State.PENDING, None, id="and was accepted since"),
    ],
)
def test_what_a_gate_stopped_is_blocked_until_somebody_accepts_it(
    gate: GateState, state: State, error: str | None
) -> None:
    failed = attempt(NEW, ended=True, error="boom")

    described = status_of("orders", "2026-11-01", wanted=NEW, published=None, last_try=failed, gate=gate)

    assert (described.state, described.error) == (state, error)


@pytest.mark.parametrize(
    ("held", "last_try", "state"),
    [
        pytest.param(OLD, None, State.REWOUND, id="the table shows an older one"),
        pytest.param(OLD, attempt(NEW, ended=True), State.REWOUND, id="and it was tried again by hand"),
        pytest.param(NEW, None, State.PUBLISHED, id="it is shown in spite of it"),
    ],
)
def test_a_version_that_was_taken_back_is_rewound(held: Version, last_try: Attempt | None, state: State) -> None:
    published = Published(_outcome(held), 7, NOON)

    found = status_of(
        "orders", "2026-11-01", wanted=NEW, published=published, last_try=last_try, taken_back=frozenset({NEW})
    )

    assert found.state is state


def _outcome(version: Version) -> Outcome:
    return Outcome(
        dataset="orders",
        partition="2026-11-01",
        fingerprint=version.fingerprint,
        contract_version="1.0.0",
        contract_fingerprint=version.contract,
        code_version=version.code,
        run_id="run",
        objects=(),
        files=(),
        quarantine_files=(),
    )


@pytest.mark.parametrize(
    ("wanted", "last_try", "state"),
    [
        pytest.param(None, None, State.PLACEHOLDER, id="nothing of its own"),
        pytest.param(OLD, None, State.PLACEHOLDER, id="derived from stand-ins"),
        pytest.param(NEW, None, State.PENDING, id="own data landed"),
        pytest.param(NEW, attempt(NEW, ended=False), State.RUNNING, id="own data are being built"),
        pytest.param(NEW, attempt(NEW, ended=True, error="boom"), State.FAILED, id="own data failed"),
    ],
)
def test_a_stand_in_counts_for_nothing_published(
    wanted: Version | None, last_try: Attempt | None, state: State
) -> None:
    outcome = Outcome(
        dataset="orders",
        partition="2026-11-01",
        fingerprint=OLD.fingerprint,
        contract_version="1",
        contract_fingerprint=OLD.contract,
        code_version=OLD.code,
        run_id="run",
        objects=(),
        files=(),
        quarantine_files=(),
        stand_in="fallback",
    )
    shown = Published(outcome, 1, NOON)

    status = status_of("orders", "2026-11-01", wanted=wanted, published=shown, last_try=last_try)

    assert (status.state, status.stand_in) == (state, "fallback")


@pytest.mark.parametrize(
    ("held", "last_try", "state"),
    [
        pytest.param(None, None, State.HELD, id="never tried"),
        pytest.param(OLD, None, State.HELD, id="the table shows an older one"),
        pytest.param(None, attempt(NEW, ended=True, error="boom"), State.HELD, id="its retry is held"),
        pytest.param(None, attempt(NEW, ended=False), State.RUNNING, id="it runs"),
        pytest.param(NEW, None, State.PUBLISHED, id="published"),
    ],
)
def test_what_only_a_breaker_stops_is_held(held: Version | None, last_try: Attempt | None, state: State) -> None:
    published = None if held is None else Published(_outcome(held), 7, NOON)

    found = status_of("orders", "2026-11-01", wanted=NEW, published=published, last_try=last_try, gate=GateState.HELD)

    assert (found.state, found.error) == (state, None)
