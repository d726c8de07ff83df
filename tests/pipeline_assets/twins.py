"""The same partition built twice, step by step: from fragments, and anew from all of its objects."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal as Number
from typing import TYPE_CHECKING, Any, BinaryIO

import duckdb
import pyarrow.parquet as pq

from pipeline_assets.staging import build_partition
from resources.clock import ManualClock
from resources.object_store import LocalObjectStore
from sluice.contract import Column, Contract, DriftPolicy, FileFormat, Rules, Source, fingerprint_of
from sluice.datatypes import Decimal, Integer, Text
from sluice.fragments.merge_plan import MergeRules
from sluice.manifest import RawObject, build_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sluice.outcome import Outcome

DAY = "2026-11-03"
NEVER = MergeRules(small_bytes=1, fan_in=1_000)
OFTEN = MergeRules(small_bytes=1, fan_in=2)
ALWAYS = MergeRules()

COLUMNS = (
    Column("id", Integer()),
    Column("shop", Text()),
    Column("at", Integer()),
    Column("amount", Decimal(9, 2)),
)


def events(*columns: Column, **fields: Any) -> Contract:
    source = Source("events/date={date}/*", FileFormat.JSONL)
    made = Contract("events", "1.0.0", columns or COLUMNS, source=source, **({"primary_key": ("id",)} | fields))
    return replace(made, fingerprint=fingerprint_of(made))


EVENTS = events(order_by="at")
STRICTER = events(
    *COLUMNS[:3],
    Column("amount", Decimal(9, 2), rules=Rules(minimum=Number(5))),
    order_by="at",
)
UNORDERED = events(primary_key=("shop", "id"), sort_by=("amount",), drift=DriftPolicy.QUARANTINE)
KEYLESS = events(primary_key=())


def lines(*records: Mapping[str, object]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


@dataclass
class Twin:
    """One home, in which a partition is built again and again; `anew` forgets what was built before."""

    home: Path
    anew: bool = False
    rules: MergeRules = ALWAYS
    objects: dict[str, bytes] = field(default_factory=dict)
    published: Outcome | None = None
    newest: Outcome | None = None
    builds: int = 0

    @property
    def store(self) -> LocalObjectStore:
        return LocalObjectStore(self.home)

    @property
    def listed(self) -> Iterable[RawObject]:
        return (
            RawObject(f"raw/events/{name}", hashlib.blake2b(text, digest_size=16).hexdigest(), len(text))
            for name, text in self.objects.items()
        )

    def build(self, contract: Contract, *, publish: bool = True, store: Any = None) -> Outcome:
        folder = self.home / "raw/events"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.objects.items():
            (folder / name).write_bytes(text)
        earlier = self.published
        if self.anew:
            earlier = earlier and earlier.model_copy(update={"fragments": ()})
            self.forget_newest()
        self.builds += 1
        self.newest = build_partition(
            contract=contract,
            manifest=build_manifest("events", DAY, tuple(self.listed)),
            store=store or self.store,
            scratch=self.home / "scratch",
            run_id=f"run {self.builds}",
            clock=ManualClock(datetime(2026, 11, 4, tzinfo=UTC)),
            earlier=earlier,
            merge_rules=self.rules,
        )
        self.published = self.newest if publish else self.published
        return self.newest

    def forget_newest(self) -> None:
        for known in self.home.glob(f"processed/events/date={DAY}/_newest-*"):
            known.unlink()

    def shows(self) -> dict[str, Any]:
        """Return everything that a person could see of the newest build, but names, sizes and times."""
        assert self.newest is not None
        told = self.newest.model_dump(
            exclude={"files", "quarantine_files", "fragments", "objects_parsed", "seconds", "run_id"}
        )
        return {**told, "rows": self.rows(), "rejected": self.rejected()}

    def rows(self) -> list[str]:
        assert self.newest is not None
        paths = [str(self.home / file.key) for file in self.newest.files]
        return sorted(repr(row) for path in paths for row in _fetch(path))

    def rejected(self) -> list[str]:
        assert self.newest is not None
        columns = ["object", "etag", "line_no", "raw", "reasons", "earlier_reasons", "whole_object"]
        tables = [pq.read_table(self.home / file.key, columns=columns) for file in self.newest.quarantine_files]
        return sorted(repr(row) for table in tables for row in table.to_pylist())


def _fetch(path: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute("SELECT * FROM read_parquet($1, hive_partitioning = false)", [path]).fetchall()


class Noting:
    """A store that notes which keys are opened."""

    def __init__(self, store: LocalObjectStore) -> None:
        self._store = store
        self._opened: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def open(self, key: str, *, etag: str | None = None) -> BinaryIO:
        self._opened.append(key)
        return self._store.open(key, etag=etag)

    def opened(self, prefix: str) -> list[str]:
        return sorted(key for key in self._opened if key.startswith(prefix))


@dataclass(frozen=True)
class Step:
    """What happens to a partition before it is built again."""

    put: Mapping[str, bytes]
    removed: str | None
    other_contract: bool
    published: bool


def play(
    home: Path, start: Mapping[str, bytes], contracts: tuple[Contract, Contract], steps: list[Step], rules: MergeRules
) -> None:
    """Do the same to both twins, and compare them after each step."""
    twins = Twin(home / "incremental", rules=rules), Twin(home / "whole", anew=True)
    first = Step(start, removed=None, other_contract=False, published=True)
    for step in (first, *steps):
        for twin in twins:
            twin.objects |= step.put
            twin.objects.pop(step.removed or "", None)
            twin.build(contracts[step.other_contract], publish=step.published)
        one, other = (twin.shows() for twin in twins)
        assert one == other
