"""A table and a ledger tell stand-ins from own data, whoever comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from resources.warehouse import Warehouse
from sluice.contract import STATUS_COLUMN
from sluice.healing.policy import HealingPolicy, StandIn
from sluice.history import Published
from sluice.publishing import Effect
from sluice.rewinding import AtSnapshot
from sluice.stand_in import Status
from tests.resources.shop import COLUMNS, DAY, NEXT_DAY, ORDERS, contract_with, load, open_tables, stage
from tests.resources.test_ledger import NOON

if TYPE_CHECKING:
    from pathlib import Path

    from resources.ledger import Ledger
    from sluice.outcome import Outcome

PROMISED = replace(ORDERS, healing=HealingPolicy(stand_in=StandIn()))
TEXT = "previous_partition 2026-11-19"


def stand_in_for(home: Path, order_ids: list[int], fingerprint: str = "e" * 16) -> Outcome:
    """Stage rows that carry the flag, as the job does."""
    from sluice.flagged_rows import write_flagged

    plain = stage(home, order_ids, fingerprint=fingerprint)
    (file,) = plain.files
    target = home / file.key.replace("part-0", "part-1")
    write_flagged(ORDERS, [str(home / file.key)], target, partition=DAY, status=Status.PLACEHOLDER)
    flagged = file.model_copy(update={"key": str(target.relative_to(home)), "size_bytes": target.stat().st_size})
    return plain.model_copy(update={"files": (flagged,), "stand_in": TEXT})


def statuses(home: Path) -> list[object]:
    """Read as a foreign engine would: through Iceberg alone."""
    found: list[object] = load(home).scan(row_filter=f"partition_date = '{DAY}'").to_arrow()[STATUS_COLUMN].to_pylist()
    return found


def test_a_table_whose_contract_names_a_stand_in_has_the_column_from_the_start(tmp_path: Path) -> None:
    open_tables(tmp_path).publish(PROMISED, stage(tmp_path, [1]), 1)

    assert [field.name for field in load(tmp_path).schema().fields][-2:] == [STATUS_COLUMN, "partition_date"]
    assert statuses(tmp_path) == [None]


def test_other_tables_get_the_column_with_their_first_stand_in(tmp_path: Path) -> None:
    tables = open_tables(tmp_path)
    tables.publish(ORDERS, stage(tmp_path, [1], day=NEXT_DAY), 1)
    before = STATUS_COLUMN in load(tmp_path).schema().column_names

    tables.publish(ORDERS, stand_in_for(tmp_path, [1]), 0)

    assert not before
    assert [field.name for field in load(tmp_path).schema().fields][-2:] == [STATUS_COLUMN, "partition_date"]
    assert statuses(tmp_path) == ["placeholder"]


def test_a_column_that_the_contract_adds_comes_before_it(tmp_path: Path) -> None:
    tables = open_tables(tmp_path)
    tables.publish(PROMISED, stage(tmp_path, [1]), 1)
    wider = replace(contract_with(*COLUMNS, replace(COLUMNS[1], name="tax")), healing=PROMISED.healing)

    tables.publish(wider, stage(tmp_path, [1], contract=wider, fingerprint="b" * 16), 2)

    assert [field.name for field in load(tmp_path).schema().fields][-3:] == ["tax", STATUS_COLUMN, "partition_date"]


def test_own_data_replace_a_stand_in_and_the_table_says_both(tmp_path: Path) -> None:
    tables = open_tables(tmp_path)
    stand_in = stand_in_for(tmp_path, [1])
    tables.publish(PROMISED, stand_in, 0)
    shown, flagged = tables.held("orders", DAY), dict(load(tmp_path).properties)

    publication = tables.publish(PROMISED, stage(tmp_path, [2]), 1)

    properties = load(tmp_path).properties
    assert shown is not None
    assert shown.stand_in == TEXT
    assert flagged[f"sluice.stand_in.{DAY}"] == TEXT
    assert (publication.effect, publication.held.stand_in) == (Effect.COMMITTED, None)
    assert f"sluice.stand_in.{DAY}" not in properties
    assert properties[f"sluice.reconciled.{DAY}"] == f"{stand_in.version} {TEXT}"
    assert statuses(tmp_path) == [None]


def test_a_stand_in_never_replaces_own_data(tmp_path: Path) -> None:
    tables = open_tables(tmp_path)
    tables.publish(PROMISED, stage(tmp_path, [2]), 1)

    publication = tables.publish(PROMISED, stand_in_for(tmp_path, [1]), 0)

    assert publication.effect is Effect.SUPERSEDED
    assert statuses(tmp_path) == [None]


def test_a_rewind_flags_the_stand_in_again_and_the_way_back_does_not(tmp_path: Path) -> None:
    tables = open_tables(tmp_path)
    first = tables.publish(PROMISED, stand_in_for(tmp_path, [1]), 0).held
    second = tables.publish(PROMISED, stage(tmp_path, [2]), 1).held

    tables.rewind("orders", AtSnapshot(first.snapshot_id), why="bad", rewound_by="ann")
    back = tables.held("orders", DAY)
    tables.rewind("orders", AtSnapshot(second.snapshot_id), why="good", rewound_by="ann")
    forth = tables.held("orders", DAY)

    assert back is not None
    assert forth is not None
    assert (back.version, back.stand_in) == (first.version, TEXT)
    assert (forth.version, forth.stand_in) == (second.version, None)


def test_queries_show_the_flag(tmp_path: Path) -> None:
    tables = open_tables(tmp_path)
    tables.publish(PROMISED, stage(tmp_path, [2], day=NEXT_DAY), 1)
    tables.publish(PROMISED, stand_in_for(tmp_path, [1]), 0)

    answer = Warehouse(tables, lambda _: (), tmp_path / "scratch").query(
        "SELECT order_id, _sluice_status FROM orders ORDER BY order_id"
    )

    assert answer.to_pylist() == [
        {"order_id": 1, "_sluice_status": "placeholder"},
        {"order_id": 2, "_sluice_status": None},
    ]


@pytest.fixture
def outcomes(tmp_path: Path) -> tuple[Outcome, Outcome]:
    """A stand-in, and own data."""
    return stand_in_for(tmp_path, [1]), stage(tmp_path, [2])


def test_a_stand_in_is_recorded_but_is_no_first_publication(ledger: Ledger, outcomes: tuple[Outcome, Outcome]) -> None:
    stand_in, own = outcomes
    recorded = ledger.record_stand_in(Published(stand_in, 1, NOON))
    first = ledger.first_published("orders")
    ledger.record(Published(own, 2, NOON))

    assert recorded
    assert first == {}
    assert ledger.first_published("orders") == {DAY: NOON}
    assert ledger.all_published() == (Published(own, 2, NOON),)


def test_a_late_record_of_a_stand_in_does_not_hide_own_data(ledger: Ledger, outcomes: tuple[Outcome, Outcome]) -> None:
    stand_in, own = outcomes
    ledger.record(Published(own, 2, NOON))

    assert not ledger.record_stand_in(Published(stand_in, 1, NOON))
    assert ledger.published("orders", DAY) == Published(own, 2, NOON)


def test_a_rewind_may_record_a_stand_in_over_own_data(ledger: Ledger, outcomes: tuple[Outcome, Outcome]) -> None:
    stand_in, own = outcomes
    ledger.record(Published(own, 2, NOON))
    ledger.record(Published(stand_in, 3, NOON))

    assert ledger.published("orders", DAY) == Published(stand_in, 3, NOON)


def test_whoever_records_a_stand_in_it_is_no_first_publication(
    ledger: Ledger, outcomes: tuple[Outcome, Outcome]
) -> None:
    stand_in, _ = outcomes
    ledger.record(Published(stand_in, 3, NOON))

    assert ledger.first_published("orders") == {}


def test_a_stand_in_replaces_another(ledger: Ledger, outcomes: tuple[Outcome, Outcome]) -> None:
    stand_in, _ = outcomes
    other = stand_in.model_copy(update={"fingerprint": "f" * 16})
    ledger.record_stand_in(Published(stand_in, 1, NOON))

    assert ledger.record_stand_in(Published(other, 2, NOON))
    assert ledger.published("orders", DAY) == Published(other, 2, NOON)
