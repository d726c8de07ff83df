"""What stands in for a partition, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest

from sluice.arrivals import sweep_raw_zone
from sluice.contract import Column, Contract, FileFormat, Source
from sluice.datatypes import Decimal, Integer, Text
from sluice.flagged_rows import write_flagged
from sluice.healing.policy import HealingPolicy, StandIn
from sluice.history import Published
from sluice.outcome import Outcome, StagedFile
from sluice.rewinding import outcome_of_nothing
from sluice.stand_in import (
    Status,
    fallback_basis,
    fallback_manifest,
    fallback_objects,
    of_inputs,
    placeholder_manifest,
    previous,
    status_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PATH = "backup/date={date}/*.jsonl"


def published(day: str, *, stand_in: str | None = None, files: int = 1, fingerprint: str = "a" * 16) -> Published:
    outcome = Outcome(
        dataset="orders",
        partition=day,
        fingerprint=fingerprint,
        contract_version="1",
        contract_fingerprint="c" * 12,
        code_version="1",
        run_id="run",
        objects=(),
        files=(StagedFile(key="k", records=1, size_bytes=7),) * files,
        quarantine_files=(),
        stand_in=stand_in,
    )
    return Published(outcome, 1, NOON)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param([published("2026-11-18"), published("2026-11-19")], "2026-11-19", id="the newest"),
        pytest.param([published("2026-11-13")], "2026-11-13", id="seven days"),
        pytest.param([published("2026-11-12")], None, id="too old"),
        pytest.param([published("2026-11-20"), published("2026-11-21")], None, id="not earlier"),
        pytest.param([published("2026-11-18"), published("2026-11-19", files=0)], "2026-11-18", id="without rows"),
        pytest.param(
            [published("2026-11-18"), published("2026-11-19", stand_in="fallback")], "2026-11-18", id="a stand-in"
        ),
        pytest.param([Published(outcome_of_nothing("orders", "2026-11-19"), 1, NOON)], None, id="rewound to nothing"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_the_newest_earlier_partition_with_own_rows_stands_in(shown: list[Published], expected: str | None) -> None:
    known = {item.outcome.partition: item for item in shown}

    found = previous("2026-11-20", known, known.get)

    assert (found.outcome.partition if found else None) == expected


def test_a_placeholder_of_another_version_is_another_version() -> None:
    one, other = published("2026-11-19"), published("2026-11-19", fingerprint="b" * 16)

    fingerprints = {placeholder_manifest("2026-11-20", item).fingerprint for item in (one, other)}

    assert len(fingerprints) == 2
    assert placeholder_manifest("2026-11-20", one).objects[0].key == "tables/orders/date=2026-11-19"


@pytest.mark.parametrize(
    ("inputs", "text", "status"),
    [
        pytest.param({"a": None, "b": "fallback"}, "b: fallback", Status.FALLBACK, id="one"),
        pytest.param(
            {"a": "previous_partition 2026-11-19", "b": "fallback"},
            "a: previous_partition 2026-11-19; b: fallback",
            Status.PLACEHOLDER,
            id="a placeholder is the one to warn of",
        ),
    ],
)
def test_what_is_derived_from_stand_ins_names_them(inputs: dict[str, str | None], text: str, status: Status) -> None:
    assert of_inputs(inputs) == text
    assert status_of(text) is status


def test_what_is_derived_from_own_data_is_no_stand_in() -> None:
    assert of_inputs({"a": None, "b": None}) is None


@dataclass(frozen=True)
class Thing:
    key: str
    size: int = 10
    stamp: str = "s"
    modified_at: datetime = NOON - timedelta(hours=1)


@dataclass(frozen=True)
class Things:
    things: tuple[Thing, ...]

    def list(self, prefix: str) -> Iterator[Thing]:
        return (thing for thing in self.things if thing.key.startswith(prefix))

    def etag(self, key: str, *, stamp: str | None = None) -> str | None:
        return None if key.endswith("gone.jsonl") else f"etag of {key} {stamp}"


FOUND = Things((Thing("raw/backup/date=2026-11-20/b.jsonl"), Thing("raw/backup/date=2026-11-20/a.jsonl")))


def test_files_of_the_day_at_the_fallback_location_are_found() -> None:
    others = (Thing("raw/backup/date=2026-11-19/a.jsonl"), Thing("raw/backup/date=2026-11-20/a.csv"))

    found = fallback_objects(PATH, "2026-11-20", Things((*FOUND.things, *others)), NOON)

    assert [item.key[-7:] for item in found] == ["a.jsonl", "b.jsonl"]


def test_a_fallback_that_is_still_being_written_is_waited_for() -> None:
    fresh = Thing("raw/backup/date=2026-11-20/c.jsonl", modified_at=NOON)

    assert fallback_objects(PATH, "2026-11-20", Things((*FOUND.things, fresh)), NOON) == ()


def test_other_files_make_another_basis_and_the_order_of_listing_does_not() -> None:
    same = fallback_objects(PATH, "2026-11-20", Things(FOUND.things[::-1]), NOON)
    changed = (Thing(FOUND.things[0].key, stamp="t"), FOUND.things[1])

    basis = fallback_basis(fallback_objects(PATH, "2026-11-20", FOUND, NOON))

    assert fallback_basis(same) == basis
    assert fallback_basis(fallback_objects(PATH, "2026-11-20", Things(changed), NOON)).key != basis.key


def test_a_fallback_file_that_vanished_is_left_out() -> None:
    gone = Thing("raw/backup/date=2026-11-20/gone.jsonl")

    manifest = fallback_manifest("orders", "2026-11-20", (*FOUND.things, gone), FOUND)

    assert [item.key[-7:] for item in manifest.objects] == ["a.jsonl", "b.jsonl"]


class NoArrivals:
    def listing_digests(self, dataset: str) -> dict[str, str]:  # noqa: ARG002
        return {}


def test_files_at_a_fallback_location_are_no_strays() -> None:
    source = Source("orders/date={date}/*.jsonl", FileFormat.JSONL)
    contract = Contract(
        "orders", "1", (), source=source, start=date(2026, 11, 1), healing=HealingPolicy(stand_in=StandIn(PATH))
    )
    stray = Thing("raw/backup/readme.txt")

    sweep = sweep_raw_zone([contract], Things((*FOUND.things, stray)), NoArrivals(), NOON)  # type: ignore[arg-type]

    assert (sweep.strays, sweep.noticed) == (("raw/backup/readme.txt",), ())


def test_rows_that_stand_in_have_the_day_the_flag_and_every_column(tmp_path: Path) -> None:
    """The file is older than the column `note` and than the width of `amount`."""
    old, target = tmp_path / "old.parquet", tmp_path / "new.parquet"
    columns = (Column("id", Integer()), Column("amount", Decimal(12, 2)), Column("note", Text()))
    with duckdb.connect() as connection:
        rows = "SELECT i::BIGINT AS id, i::DECIMAL(10,2) AS amount, DATE '2026-11-19' AS partition_date"
        connection.execute(f"COPY ({rows} FROM range(3, 0, -1) r(i)) TO '{old}' (FORMAT parquet)")
    contract = Contract("orders", "1", columns)

    written = write_flagged(contract, [str(old)], target, partition="2026-11-20", status=Status.PLACEHOLDER)

    with duckdb.connect() as connection:
        described = connection.execute(f"DESCRIBE SELECT * FROM '{target}'").fetchall()
        shown = connection.execute(
            f"SELECT id, note, partition_date::VARCHAR, _sluice_status FROM '{target}'"
        ).fetchall()
    assert written == 3
    assert [(row[0], row[1]) for row in described] == [
        ("id", "BIGINT"),
        ("amount", "DECIMAL(12,2)"),
        ("note", "VARCHAR"),
        ("partition_date", "DATE"),
        ("_sluice_status", "VARCHAR"),
    ]
    assert shown == [(number, None, "2026-11-20", "placeholder") for number in (3, 2, 1)]
