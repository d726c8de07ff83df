"""What the steps ask of the outside world, and no more; `resources` has the implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

from sluice.arrivals import ArrivalsLedger, RawStore
from sluice.cost.price_book import PriceBook as Prices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta
    from pathlib import Path

    import dagster as dg
    from duckdb import DuckDBPyConnection

    from sluice.acceptance import Acceptance
    from sluice.backfill.progress import Stage
    from sluice.contract import Contract, FileFormat
    from sluice.contract_text import ContractText
    from sluice.cost.budget import Funding, Limits, Request, Spend, SpendState, Spent
    from sluice.expectations.expectation import Expectation
    from sluice.expectations.finding import Finding
    from sluice.gates.evidence import History
    from sluice.healing.failure import Failure, FailureClass
    from sluice.healing.incident import Incident, RemedyTaken
    from sluice.history import Attempt, Published
    from sluice.judged import Judged
    from sluice.maintenance.compaction import Merge
    from sluice.maintenance.left import Left
    from sluice.maintenance.table_state import TableFile, TableState
    from sluice.outcome import Outcome
    from sluice.publishing import Effect, Held
    from sluice.pulling.pages import PulledPage
    from sluice.pulling.pull import Pull
    from sluice.replaying import Return
    from sluice.rewinding import Point, Rewind
    from sluice.version import Version

__all__ = [
    "Clock",
    "Engine",
    "ExpectationEngine",
    "Failures",
    "Ledger",
    "Prices",
    "Publication",
    "ReplayableTables",
    "Settings",
    "Sources",
    "Store",
    "SweptStore",
    "Tables",
    "Upkeep",
]


class Store(RawStore, Protocol):
    def open(self, key: str, *, etag: str | None = None) -> BinaryIO: ...
    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool: ...
    def uri(self, key: str) -> str: ...


class Listed(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def modified_at(self) -> datetime: ...


class SweptStore(Store, Protocol):
    """A store that can be cleaned."""

    def everything(self, prefix: str) -> Iterator[Listed]: ...
    def remove(self, key: str) -> None: ...


class Sources(Protocol):
    """Outside systems that are asked for data."""

    def pulled(
        self, pull: Pull, file_format: FileFormat, partition: str, folder: Path, identity: str
    ) -> AbstractContextManager[tuple[PulledPage, ...]]: ...


class Attempts(Protocol):
    def begin(self, dataset: str, partition: str, version: str, run_id: str, started_at: datetime) -> Attempt: ...
    def end(
        self,
        attempt: Attempt,
        ended_at: datetime,
        error: str | None,
        failure_class: FailureClass | None = None,
        retry_after: timedelta | None = None,
    ) -> None: ...
    def last_attempt(self, dataset: str, partition: str) -> Attempt | None: ...
    def ended_attempts(
        self, most: int, *, dataset: str | None = None, failure_class: FailureClass | None = None
    ) -> tuple[Attempt, ...]: ...


class Publications(Protocol):
    def record(self, published: Published) -> None: ...
    def record_stand_in(self, published: Published) -> bool: ...
    def amend(self, before: Published, after: Published) -> bool: ...
    def published(self, dataset: str, partition: str) -> Published | None: ...
    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]: ...
    def first_published(self, dataset: str) -> Mapping[str, datetime]: ...
    def record_metrics(self, dataset: str, partition: str, metrics: Mapping[str, float]) -> None: ...
    def history(self, dataset: str, before: str, partitions: int) -> Mapping[str, History]: ...


class Judgements(Protocol):
    def record_verdicts(self, judged: Sequence[Judged]) -> None: ...
    def verdicts(self, dataset: str, partition: str) -> tuple[Judged, ...]: ...
    def acceptances(self, dataset: str | None = None) -> tuple[Acceptance, ...]: ...


class Spending(Protocol):
    def reserve(
        self, request: Request, limits: Limits, reserved_at: datetime, *, regardless: bool = False
    ) -> Funding: ...
    def settle(
        self, request: Request, state: SpendState, *, seconds: float, usd: float, settled_at: datetime
    ) -> None: ...
    def conclude(self, dataset: str, partition: str, version: str) -> None: ...
    def open_spends(self) -> tuple[Spend, ...]: ...
    def spends(self, dataset: str | None = None, month: str | None = None) -> tuple[Spend, ...]: ...


class SpendingHistory(Protocol):
    def builds(self, dataset: str, most: int) -> tuple[Spend, ...]: ...
    def spent_by_month(self, dataset: str) -> tuple[Spent, ...]: ...


class Incidents(Protocol):
    def open_incident(self, incident: Incident) -> Incident: ...
    def resolve_incidents(
        self,
        dataset: str,
        partition: str,
        resolved_at: datetime,
        resolved_by: str,
        *,
        keep: FailureClass | None = None,
    ) -> int: ...
    def incidents(self, dataset: str | None = None, *, open_only: bool = False) -> tuple[Incident, ...]: ...
    def note_remedy(self, number: int, remedy: RemedyTaken) -> None: ...
    def first_notice(self, key: str, noticed_at: datetime) -> bool: ...


class ContractTexts(Protocol):
    def keep_contract(self, text: ContractText) -> None: ...


class Backfills(Protocol):
    def stage_of_backfill(self, plan_id: str) -> Stage | None: ...


class Failures(Protocol):
    """What kind of failure an error is."""

    def classify(self, error: BaseException) -> Failure: ...


class Ledger(
    ArrivalsLedger,
    Attempts,
    Publications,
    Judgements,
    Spending,
    SpendingHistory,
    Incidents,
    Backfills,
    ContractTexts,
    Protocol,
):
    """All of the above in one store."""


class Publication(Protocol):
    @property
    def effect(self) -> Effect: ...
    @property
    def held(self) -> Held: ...


class Tables(Protocol):
    def publish(self, contract: Contract, outcome: Outcome, sequence: int) -> Publication: ...
    def held(self, dataset: str, partition: str) -> Held | None: ...
    def files(self, dataset: str, partition: str | None = None) -> tuple[str, ...]: ...
    def column_bytes(self, dataset: str) -> Mapping[str, Mapping[str, int]]: ...


class RewindableTables(Tables, Protocol):
    def plan_rewind(self, dataset: str, point: Point, partition: str | None = None) -> Rewind: ...
    def rewind(
        self, dataset: str, point: Point, partition: str | None = None, *, why: str, rewound_by: str
    ) -> Rewind: ...


class ReplayableTables(Tables, Protocol):
    def taken_back(self, dataset: str) -> Mapping[str, frozenset[Version]]: ...
    def replay(
        self, contract: Contract, returns: Sequence[Return], *, as_of: datetime, why: str, replayed_by: str
    ) -> Rewind: ...


class TableUpkeep(Protocol):
    def state(self, dataset: str) -> TableState | None: ...
    def references(self, dataset: str) -> frozenset[str]: ...
    def missing(self, dataset: str) -> tuple[TableFile, ...]: ...
    def compact(self, dataset: str, merges: Mapping[Merge, str]) -> tuple[Merge, ...]: ...
    def expire(self, dataset: str, snapshots: Sequence[int]) -> None: ...


class Workspaces(Protocol):
    def left(self, before: datetime) -> tuple[Left, ...]: ...
    def remove(self, left: Left) -> None: ...


class Upkeep(Protocol):
    """What maintenance works on, beside the store."""

    @property
    def tables(self) -> TableUpkeep: ...
    @property
    def workspaces(self) -> Workspaces: ...


class ExpectationEngine(Protocol):
    """Great Expectations itself, for what SQL does not judge."""

    def judge(self, connection: DuckDBPyConnection, expectations: Sequence[Expectation]) -> Sequence[Finding]: ...


class Engine(Protocol):
    """Spark, wherever it is: it does what the job at a key of the store says, and puts the result there."""

    def run(self, context: dg.OpExecutionContext, job_key: str) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


class Settings(Protocol):
    @property
    def proposals(self) -> Path: ...
    @property
    def scratch(self) -> Path: ...
