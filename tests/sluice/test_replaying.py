"""What showing an earlier manifest again does to a partition of a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest

from sluice.arrivals import Arrival
from sluice.errors import ReplayRefused
from sluice.healing.replayed import Seen, is_same, reasons_of
from sluice.outcome import Outcome, ReasonCount
from sluice.publishing import Held
from sluice.replaying import Return, Turn, as_rewind, noticed_by, parse_instant, turn
from sluice.rewinding import NOTHING
from sluice.rows_compared import RowsDigest, digest_rows
from sluice.version import Version

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def version(name: str) -> Version:
    return Version(name * 16, "c" * 12, "1")


THEN, NOW, BAD = version("a"), version("b"), version("d")


def returned(target: Version, sequence: int = 7) -> Return:
    outcome = Outcome(
        dataset="orders",
        partition="2026-11-20",
        fingerprint=target.fingerprint,
        contract_version="1.0.0",
        contract_fingerprint=target.contract,
        code_version=target.code,
        run_id="run",
        objects=(),
        files=(),
        quarantine_files=(),
    )
    return Return(outcome, NOW, sequence)


def decided(target: Version, held: Held | None, *marks: Version) -> Turn:
    return turn(returned(target), held, frozenset(marks))


def test_what_is_shown_and_what_is_newest_do_not_come_back_by_themselves() -> None:
    found = decided(THEN, Held(version("e"), 6, 1), BAD)

    assert found.taken_back == {version("e"), NOW, BAD}
    assert (found.changes, found.goes_back, found.sequence) == (True, True, 7)


def test_a_stand_in_is_not_taken_back_nor_is_nothing() -> None:
    assert decided(THEN, Held(version("e"), 6, 1, stand_in="fallback")).taken_back == {NOW}
    assert decided(THEN, Held(NOTHING, 6, 1)).taken_back == {NOW}


def test_what_was_never_published_is_shown() -> None:
    found = decided(THEN, None)

    assert (found.shown, found.changes, found.taken_back) == (None, True, frozenset({NOW}))


def test_the_second_time_nothing_changes() -> None:
    assert decided(THEN, Held(THEN, 7, 1), NOW, version("e")).changes is False


@pytest.mark.parametrize(
    ("held", "marks"),
    [
        pytest.param(Held(THEN, 6, 1), (NOW,), id="an older sequence"),
        pytest.param(Held(THEN, 7, 1), (), id="no mark"),
    ],
)
def test_what_shows_it_already_but_could_be_undone_changes(held: Held, marks: tuple[Version, ...]) -> None:
    assert decided(THEN, held, *marks).changes is True


def test_going_to_the_newest_lifts_its_mark_and_no_other() -> None:
    found = decided(NOW, Held(THEN, 7, 1), NOW, BAD)

    assert (found.taken_back, found.goes_back) == (frozenset({BAD}), False)
    (step,) = as_rewind("orders", [found], 5).steps
    assert step.taken_back == frozenset()


def arrivals(*hours: int) -> tuple[Arrival, ...]:
    return tuple(Arrival(number, "f", NOON + HOUR * hour) for number, hour in enumerate(hours, start=1))


@pytest.mark.parametrize(
    ("hour", "sequence"),
    [
        pytest.param(-1, None, id="before the first"),
        pytest.param(0, 1, id="at the first"),
        pytest.param(2, 1, id="between"),
        pytest.param(9, 2, id="after the last"),
    ],
)
def test_the_last_arrival_until_then_counts(hour: int, sequence: int | None) -> None:
    found = noticed_by(NOON + HOUR * hour, arrivals(0, 3))

    assert (found.sequence if found else None) == sequence


def test_of_arrivals_by_a_clock_that_went_back_the_later_one_counts() -> None:
    found = noticed_by(NOON + HOUR, arrivals(1, 0))

    assert found is not None
    assert found.sequence == 2


def test_an_instant_is_read_in_its_zone() -> None:
    assert parse_instant("2026-11-21T13:00:00+01:00") == NOON


@pytest.mark.parametrize("text", ["noon", "2026-11-21T12:00:00"])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ReplayRefused):
        parse_instant(text)


def digest(folder: Path, name: str, rows: str, columns: tuple[str, ...] = ("a", "b")) -> RowsDigest:
    path = folder / f"{name}.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * FROM (VALUES {rows}) AS t(a, b)) TO '{path}' (FORMAT parquet)")
        return digest_rows(connection, [str(path)], columns)


def test_the_same_rows_in_another_order_are_the_same(tmp_path: Path) -> None:
    one = digest(tmp_path, "one", "(1, 'x'), (2, NULL), (2, NULL)")

    assert one == digest(tmp_path, "two", "(2, NULL), (1, 'x'), (2, NULL)")
    assert one.rows == 3


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param("(1, 'x'), (2, NULL)", id="one fewer"),
        pytest.param("(1, 'x'), (2, ''), (2, NULL)", id="empty is not null"),
        pytest.param("(1, 'x'), (1, 'x'), (2, NULL)", id="another one twice"),
        pytest.param("(1, 'x'), (3, 'y'), (3, 'y')", id="another pair"),
    ],
)
def test_other_rows_are_not_the_same(tmp_path: Path, rows: str) -> None:
    assert digest(tmp_path, "one", "(1, 'x'), (2, NULL), (2, NULL)") != digest(tmp_path, "two", rows)


def test_no_files_hold_no_rows() -> None:
    with duckdb.connect() as connection:
        assert digest_rows(connection, [], ("a",)) == RowsDigest(0)


FAILED = Seen("quality", ("key_is_unique",), ("required shop: 2",), "at noon")


@pytest.mark.parametrize(
    ("again", "same"),
    [
        pytest.param(Seen("quality", ("key_is_unique",), ("required shop: 2",), "at one"), True, id="other words"),
        pytest.param(Seen("quality", ("key_is_unique",), None), True, id="reasons not known"),
        pytest.param(Seen("quality", ("key_is_unique",), ("required shop: 3",)), False, id="other reasons"),
        pytest.param(Seen("quality", ("records_are_conserved",), ("required shop: 2",)), False, id="another gate"),
        pytest.param(Seen(None, (), ("required shop: 2",)), False, id="no failure"),
    ],
)
def test_a_failure_is_the_same_by_class_gates_and_reasons(again: Seen, same: bool) -> None:  # noqa: FBT001
    assert is_same(FAILED, again) is same


def test_reasons_are_summed_over_objects() -> None:
    counts = [
        ReasonCount(key=key, code=code, column=column, records=2)
        for key, code, column in (("a", "required", "shop"), ("b", "required", "shop"), ("b", "not_json", None))
    ]

    assert reasons_of(counts) == ("not_json: 2", "required shop: 4")
