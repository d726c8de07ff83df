from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from resources.object_store import LocalObjectStore
from resources.sql_ledger import SqlLedger
from sluice.arrivals import Sweep, sweep_partition, sweep_raw_zone
from sluice.contract import Contract, FileFormat, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from resources.object_store import Listed

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=1)
DAY = "2026-11-03"


def dataset(name: str, pattern: str = "{name}/date={{date}}/*.jsonl") -> Contract:
    source = Source(pattern.format(name=name), FileFormat.JSONL)
    return Contract(name, "1.0.0", (), source=source, start=date(2026, 11, 1))


ORDERS = dataset("orders")
CUSTOMERS = dataset("customers", "{name}/{{date:YYYY/MM/dd}}/*.jsonl")


class CountingStore:
    """A local store that counts what costs: hashed objects."""

    def __init__(self, root: Path) -> None:
        self._store = LocalObjectStore(root)
        self.hashed: list[str] = []

    def list(self, prefix: str) -> Iterator[Listed]:
        return self._store.list(prefix)

    def etag(self, key: str, *, stamp: str | None = None) -> str | None:
        self.hashed.append(key)
        return self._store.etag(key, stamp=stamp)

    def open(self, key: str, *, etag: str | None = None) -> BinaryIO:
        return self._store.open(key, etag=etag)


class RawZone:
    """The raw zone of one dataset or two, swept against a real ledger."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = CountingStore(home)
        self.ledger = SqlLedger(f"sqlite:///{home / 'ledger.db'}")

    def land(self, key: str, text: str = "{}\n", *, at: datetime = BEFORE) -> None:
        path = self.home / "raw" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (at.timestamp(), at.timestamp()))

    def remove(self, key: str) -> None:
        (self.home / "raw" / key).unlink()

    def sweep(self, *contracts: Contract, now: datetime = NOW) -> Sweep:
        return sweep_raw_zone(contracts or (ORDERS,), self.store, self.ledger, now)

    def sweep_day(self, now: datetime = NOW) -> tuple[str, ...]:
        noticed = sweep_partition(ORDERS, DAY, self.store, self.ledger, now)
        return () if noticed is None else tuple(item.key for item in noticed.manifest.objects)


@pytest.fixture
def zone(tmp_path: Path) -> RawZone:
    return RawZone(tmp_path)


def keys(sweep: Sweep) -> list[tuple[str, ...]]:
    return [tuple(item.key for item in noticed.manifest.objects) for noticed in sweep.noticed]


def test_new_files_are_noticed_once_per_partition(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/b.jsonl")
    zone.land(f"orders/date={DAY}/a.jsonl")
    zone.land("orders/date=2026-11-04/c.jsonl")

    first, second = zone.sweep(), zone.sweep()

    assert keys(first) == [
        (f"raw/orders/date={DAY}/a.jsonl", f"raw/orders/date={DAY}/b.jsonl"),
        ("raw/orders/date=2026-11-04/c.jsonl",),
    ]
    assert first.partitions == 2
    assert second.noticed == ()


def test_each_dataset_finds_its_own_layout(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    zone.land("customers/2026/11/03/a.jsonl")

    noticed = zone.sweep(ORDERS, CUSTOMERS).noticed

    assert [(item.manifest.dataset, item.manifest.partition) for item in noticed] == [
        ("customers", DAY),
        ("orders", DAY),
    ]


def test_a_quiet_sweep_hashes_nothing(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    zone.sweep()
    zone.store.hashed.clear()

    zone.sweep()

    assert zone.store.hashed == []


def test_a_late_file_costs_one_hash_and_raises_the_sequence(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    (first,) = zone.sweep().noticed
    zone.store.hashed.clear()
    zone.land(f"orders/date={DAY}/late.jsonl")

    (second,) = zone.sweep().noticed

    assert zone.store.hashed == [f"raw/orders/date={DAY}/late.jsonl"]
    assert second.sequence > first.sequence
    assert len(second.manifest.objects) == 2


def test_an_overwritten_file_is_news(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl", "{}\n")
    (first,) = zone.sweep().noticed
    zone.land(f"orders/date={DAY}/a.jsonl", '{"id": 1}\n')

    (second,) = zone.sweep().noticed

    assert second.manifest.fingerprint != first.manifest.fingerprint
    assert second.sequence > first.sequence


def test_a_touched_file_with_the_same_bytes_is_not_news(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    (first,) = zone.sweep().noticed
    zone.land(f"orders/date={DAY}/a.jsonl", at=BEFORE + timedelta(minutes=1))

    (second,) = zone.sweep().noticed

    assert second.sequence == first.sequence
    assert zone.sweep().noticed == ()


def test_a_removed_file_alone_is_not_news(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    zone.land(f"orders/date={DAY}/b.jsonl")
    (first,) = zone.sweep().noticed
    zone.remove(f"orders/date={DAY}/b.jsonl")

    zone.sweep()
    latest = zone.ledger.latest("orders", DAY)

    assert latest is not None
    assert latest.sequence == first.sequence
    assert latest.manifest == first.manifest
    assert zone.sweep().noticed == ()


def test_a_late_file_after_a_removal_is_noticed_without_the_removed_one(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    zone.land(f"orders/date={DAY}/b.jsonl")
    zone.sweep()
    zone.remove(f"orders/date={DAY}/b.jsonl")
    zone.sweep()
    zone.land(f"orders/date={DAY}/c.jsonl")

    assert keys(zone.sweep()) == [(f"raw/orders/date={DAY}/a.jsonl", f"raw/orders/date={DAY}/c.jsonl")]


def test_a_partition_asked_for_by_name_is_taken_as_it_is_now(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    zone.land(f"orders/date={DAY}/b.jsonl")
    zone.sweep()
    zone.remove(f"orders/date={DAY}/b.jsonl")

    assert zone.sweep_day() == (f"raw/orders/date={DAY}/a.jsonl",)


def test_a_partition_without_files_is_nothing(zone: RawZone) -> None:
    zone.land("orders/date=2026-11-04/a.jsonl")

    assert zone.sweep_day() == ()


def test_asking_by_name_and_sweeping_agree(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    (swept,) = zone.sweep().noticed

    named = sweep_partition(ORDERS, DAY, zone.store, zone.ledger, NOW)

    assert named is not None
    assert (named.sequence, named.manifest) == (swept.sequence, swept.manifest)


def test_a_file_that_is_still_being_written_waits(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    zone.land(f"orders/date={DAY}/growing.jsonl", at=NOW - timedelta(seconds=0.5))

    first = zone.sweep()
    second = zone.sweep(now=NOW + timedelta(seconds=1))

    assert keys(first) == [(f"raw/orders/date={DAY}/a.jsonl",)]
    assert first.unsettled == (f"raw/orders/date={DAY}/growing.jsonl",)
    assert keys(second) == [(f"raw/orders/date={DAY}/a.jsonl", f"raw/orders/date={DAY}/growing.jsonl")]
    assert second.unsettled == ()


def test_while_a_known_file_is_being_overwritten_its_partition_keeps_its_manifest(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    zone.land(f"orders/date={DAY}/b.jsonl")
    (first,) = zone.sweep().noticed
    zone.land(f"orders/date={DAY}/b.jsonl", '{"id"', at=NOW - timedelta(seconds=0.5))

    during = zone.sweep()
    latest = zone.ledger.latest("orders", DAY)

    assert during.noticed == ()
    assert latest is not None
    assert latest.manifest == first.manifest
    assert len(zone.sweep(now=NOW + timedelta(seconds=1)).noticed) == 1


def test_what_was_written_while_the_sweep_listed_does_not_overtake_what_was_written_before(zone: RawZone) -> None:
    """One is too young to count; the other, younger still, is from after `now` and looks like a time in the future."""
    zone.land(f"orders/date={DAY}/a.jsonl")
    zone.land(f"orders/date={DAY}/b.jsonl", at=NOW - timedelta(seconds=0.3))
    zone.land(f"orders/date={DAY}/c.jsonl", at=NOW + timedelta(seconds=0.3))

    assert keys(zone.sweep()) == [(f"raw/orders/date={DAY}/a.jsonl",)]
    assert zone.sweep_day() == (f"raw/orders/date={DAY}/a.jsonl",)
    assert len(zone.sweep_day(NOW + timedelta(seconds=2))) == 3


def test_a_known_file_that_is_overwritten_between_listing_and_hashing_keeps_its_partition_as_it_was(
    zone: RawZone,
) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    (first,) = zone.sweep().noticed
    zone.land(f"orders/date={DAY}/a.jsonl", '{"id": 1}\n')
    zone.land(f"orders/date={DAY}/b.jsonl")
    changing = ChangingStore(zone, lambda: zone.land(f"orders/date={DAY}/a.jsonl", '{"id": 2}\n'))

    swept = sweep_raw_zone([ORDERS], changing, zone.ledger, NOW)
    named = sweep_partition(ORDERS, DAY, changing, zone.ledger, NOW)

    assert swept.noticed == ()
    assert named is not None
    assert named.manifest == first.manifest
    assert len(zone.sweep_day()) == 2


def test_a_new_file_that_is_overwritten_between_listing_and_hashing_waits(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    zone.land(f"orders/date={DAY}/b.jsonl")
    changing = ChangingStore(zone, lambda: zone.land(f"orders/date={DAY}/b.jsonl", '{"id": 2}\n'))

    sweep = sweep_raw_zone([ORDERS], changing, zone.ledger, NOW)

    assert keys(sweep) == [(f"raw/orders/date={DAY}/a.jsonl",)]
    assert len(zone.sweep().noticed) == 1


def test_a_file_from_the_future_does_not_wait_for_ever(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl", at=NOW + timedelta(days=30))

    assert len(zone.sweep().noticed) == 1


@pytest.mark.parametrize(
    "day", [pytest.param("2026-10-31", id="before the start"), pytest.param("2026-11-11", id="after today")]
)
def test_a_partition_out_of_range_waits_unnoticed(zone: RawZone, day: str) -> None:
    zone.land(f"orders/date={day}/a.jsonl")

    first = zone.sweep()
    later = zone.sweep(replace(ORDERS, start=date(2026, 10, 1)), now=NOW + timedelta(days=1))

    assert first.noticed == ()
    assert first.outside == (("orders", day),)
    assert [item.manifest.partition for item in later.noticed] == [day]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("orders/readme.txt", id="no date"),
        pytest.param("orders/date=2026-02-30/a.jsonl", id="no such date"),
        pytest.param(f"orders/date={DAY}/a.csv", id="another ending"),
        pytest.param(f"ordres/date={DAY}/a.jsonl", id="no such dataset"),
    ],
)
def test_a_file_of_no_dataset_is_a_stray(zone: RawZone, key: str) -> None:
    zone.land(key)

    sweep = zone.sweep()

    assert sweep.strays == (f"raw/{key}",)
    assert sweep.noticed == ()


def test_an_object_that_vanishes_during_the_sweep_is_left_out(zone: RawZone) -> None:
    zone.land(f"orders/date={DAY}/a.jsonl")
    zone.land(f"orders/date={DAY}/b.jsonl")
    vanishing = ChangingStore(zone, lambda: zone.remove(f"orders/date={DAY}/b.jsonl"))

    sweep = sweep_raw_zone([ORDERS], vanishing, zone.ledger, NOW)

    assert keys(sweep) == [(f"raw/orders/date={DAY}/a.jsonl",)]


class ChangingStore:
    """Something happens to the raw zone after each listing."""

    def __init__(self, zone: RawZone, happening: Callable[[], None]) -> None:
        self._zone = zone
        self._happening = happening

    def list(self, prefix: str) -> Iterator[Listed]:
        listed = list(self._zone.store.list(prefix))
        self._happening()
        return iter(listed)

    def etag(self, key: str, *, stamp: str | None = None) -> str | None:
        return self._zone.store.etag(key, stamp=stamp)


def test_an_empty_raw_zone_is_quiet(zone: RawZone) -> None:
    assert zone.sweep() == Sweep(noticed=(), partitions=0, unsettled=(), outside=(), strays=())
