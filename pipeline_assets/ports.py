"""What the steps ask of the outside world, and no more; `resources` has the implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

from sluice.arrivals import ArrivalsLedger, RawStore

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sluice.contract import Contract
    from sluice.history import Attempt, Published
    from sluice.outcome import Outcome
    from sluice.publishing import Effect, Held


class Store(RawStore, Protocol):
    def open(self, key: str) -> BinaryIO: ...
    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool: ...
    def uri(self, key: str) -> str: ...


class Ledger(ArrivalsLedger, Protocol):
    def begin(self, dataset: str, partition: str, version: str, run_id: str, started_at: datetime) -> Attempt: ...
    def end(self, attempt: Attempt, ended_at: datetime, error: str | None) -> None: ...
    def record(self, published: Published) -> None: ...
    def published(self, dataset: str, partition: str) -> Published | None: ...


class Publication(Protocol):
    @property
    def effect(self) -> Effect: ...
    @property
    def held(self) -> Held: ...


class Tables(Protocol):
    def publish(self, contract: Contract, outcome: Outcome, sequence: int) -> Publication: ...
    def held(self, dataset: str, partition: str) -> Held | None: ...
    def files(self, dataset: str, partition: str | None = None) -> tuple[str, ...]: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


class Settings(Protocol):
    @property
    def scratch(self) -> Path: ...
