from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from resources.clock import ManualClock
from resources.memory_ledger import MemoryLedger
from resources.object_store import MemoryObjectStore
from sluice.contract import Contract, FileFormat, Source
from sluice.sweeping import AT_LEAST_EVERY, Sweeper

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from resources.object_store import Listed
    from sluice.arrivals import Sweep

DAY = "2026-11-03"
ORDERS = Contract(
    "orders", "1.0.0", (), source=Source("orders/date={date}/*.jsonl", FileFormat.JSONL), start=date(2026, 11, 1)
)
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


@dataclass
class Watched:
    """A store in memory that counts listings, and changes as it is told to."""

    store: MemoryObjectStore
    is_watching: bool = True
    unchanged: bool = True
    listings: int = 0

    def list(self, prefix: str) -> Iterator[Listed]:
        self.listings += 1
        return self.store.list(prefix)

    def etag(self, key: str, *, stamp: str | None = None) -> str | None:
        return self.store.etag(key, stamp=stamp)

    def watch(self, prefix: str) -> Watched | None:
        return self if self.is_watching and prefix == "raw/" else None

    def is_unchanged(self) -> bool:
        return self.unchanged


@dataclass
class Zone:
    folder: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    sweeper: Sweeper = field(default_factory=Sweeper)

    def __post_init__(self) -> None:
        self.watched = Watched(MemoryObjectStore(self.clock))

    def land(self, name: str, text: str = "{}\n") -> None:
        source = self.folder / "source"
        source.write_text(text)
        self.watched.store.put(f"raw/orders/date={DAY}/{name}", source)

    def sweep(self, after: timedelta = timedelta(seconds=1)) -> Sweep:
        self.clock.instant += after
        return self.sweeper.sweep((ORDERS,), self.watched, self.ledger, self.clock.now())


@pytest.fixture
def zone(tmp_path: Path) -> Zone:
    return Zone(tmp_path)


def test_an_unchanged_zone_is_listed_once_in_a_while(zone: Zone) -> None:
    zone.land("a.jsonl")

    first, *_, last = [zone.sweep() for _ in range(10)]
    before = zone.watched.listings
    zone.sweep()

    assert (len(first.noticed), first.partitions) == (1, 1)
    assert (len(last.noticed), last.partitions) == (0, 1)
    assert before == 1
    assert zone.watched.listings == 2


def test_what_has_changed_is_listed(zone: Zone) -> None:
    zone.sweep()
    zone.land("a.jsonl")
    zone.watched.unchanged = False

    assert len(zone.sweep().noticed) == 1


def test_a_file_overwritten_in_place_is_noticed_in_time(zone: Zone) -> None:
    zone.land("a.jsonl")
    zone.sweep()
    zone.land("a.jsonl", '{"id": 1}\n')

    assert zone.sweep().noticed == ()
    assert len(zone.sweep(after=AT_LEAST_EVERY).noticed) == 1


def test_a_file_that_is_being_written_is_looked_at_until_it_is_done(zone: Zone) -> None:
    zone.sweep()
    zone.watched.unchanged = False
    zone.land("a.jsonl")
    first = zone.sweep(after=timedelta(seconds=0.5))
    zone.watched.unchanged = True
    second = zone.sweep(after=timedelta(seconds=0.6))

    assert (len(first.unsettled), len(second.noticed)) == (1, 1)


def test_a_new_day_is_looked_at_at_once(zone: Zone) -> None:
    zone.clock.instant = datetime(2026, 11, 10, 23, 59, 58, tzinfo=UTC)
    zone.sweep()
    zone.sweep()

    assert zone.watched.listings == 2


def test_a_clock_that_goes_back_hides_nothing(zone: Zone) -> None:
    zone.sweep()
    zone.sweep(after=timedelta(hours=-1))

    assert zone.watched.listings == 2


def test_a_store_that_cannot_be_watched_is_listed_every_time(zone: Zone) -> None:
    zone.watched.is_watching = False
    zone.sweep()
    zone.sweep()

    assert zone.watched.listings == 2
