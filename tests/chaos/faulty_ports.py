"""Sluice's own ports, failing when a fault waits for them."""

from __future__ import annotations

import io
import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ResponseStreamingError  # type: ignore[import-untyped]

from resources.iceberg_tables import IcebergTables
from resources.settings import Settings
from resources.sql_ledger import SqlLedger
from tests.chaos.faults import AFTERWARDS, Fault, FaultBox, fail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from pathlib import Path
    from typing import BinaryIO

    from pyiceberg.catalog import Catalog

    from resources.iceberg_tables import Locations
    from resources.object_store import Listed, SweptStore, Watch
    from resources.tables import Publication
    from sluice.contract import Contract
    from sluice.healing.failure import FailureClass
    from sluice.history import Attempt, Published
    from sluice.outcome import Outcome

_FULL_BYTES = 2048


class FaultyStore:
    """A store on this disk that fails as one behind a network does."""

    def __init__(self, store: SweptStore, faults: FaultBox) -> None:
        self._store = store
        self._faults = faults

    def list(self, prefix: str) -> Iterator[Listed]:
        self._perhaps_fail("list", prefix)
        return self._store.list(prefix)

    def everything(self, prefix: str) -> Iterator[Listed]:
        self._perhaps_fail("list", prefix)
        return self._store.everything(prefix)

    def remove(self, key: str) -> None:
        self._perhaps_fail("remove", key)
        self._store.remove(key)

    def watch(self, prefix: str) -> Watch | None:
        return self._store.watch(prefix)

    def etag(self, key: str, *, stamp: str | None = None) -> str | None:
        self._perhaps_fail("etag", key)
        return self._store.etag(key, stamp=stamp)

    def open(self, key: str, *, etag: str | None = None) -> BinaryIO:
        opened = self._store.open(key, etag=etag)
        fault = self._faults.take("open", key)
        if fault is None:
            return opened
        with opened:
            data = opened.read()
        half = data[: len(data) // 2]
        if fault is Fault.TRUNCATED:
            return io.BytesIO(half)
        if fault is Fault.BROKEN:
            return _Broken(half)
        return fail(fault, "open")

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:
        fault = self._faults.take("put", key)
        if fault not in {None, *AFTERWARDS}:
            fail(fault, "put")
        done = self._store.put(key, source, only_if_absent=only_if_absent)
        if fault is not None:
            fail(fault, "put")
        return done

    def uri(self, key: str) -> str:
        return self._store.uri(key)

    def _perhaps_fail(self, operation: str, key: str) -> None:
        if (fault := self._faults.take(operation, key)) is not None:
            fail(fault, operation)


class FaultyTables(IcebergTables):
    """Tables whose commits get lost on the way there, or back."""

    def __init__(self, catalog: Catalog, store: Locations, faults: FaultBox) -> None:
        super().__init__(catalog, store)
        self._faults = faults

    def publish(self, contract: Contract, outcome: Outcome, sequence: int) -> Publication:
        fault = self._faults.take("publish", contract.dataset)
        if fault not in {None, *AFTERWARDS}:
            fail(fault, "publish")
        publication = super().publish(contract, outcome, sequence)
        if fault is not None:
            fail(fault, "publish")
        return publication


class FaultyLedger(SqlLedger):
    """A ledger whose writers die beside it."""

    def __init__(self, url: str, faults: FaultBox) -> None:
        super().__init__(url)
        self._faults = faults

    def record(self, published: Published) -> None:
        fault = self._faults.take("record", published.outcome.dataset)
        if fault is Fault.KILL_BEFORE:
            fail(fault, "record")
        super().record(published)
        if fault is not None:
            fail(fault, "record")

    def end(
        self,
        attempt: Attempt,
        ended_at: datetime,
        error: str | None,
        failure_class: FailureClass | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        if (fault := self._faults.take("end", attempt.dataset)) is not None:
            fail(fault, "end")
        super().end(attempt, ended_at, error, failure_class, retry_after)


@dataclass(frozen=True, slots=True)
class FaultySettings(Settings):
    """Asked for scratch space by every build."""

    faults: FaultBox | None = None

    @property
    def scratch(self) -> Path:
        fault = self.faults.take("build", "scratch") if self.faults else None
        if fault is Fault.SMALL_DISK:
            resource.setrlimit(resource.RLIMIT_FSIZE, (_FULL_BYTES, _FULL_BYTES))
        elif fault is not None:
            fail(fault, "build")
        return self.home / "scratch"


class _Broken(io.BytesIO):
    """A body whose connection breaks where it ends."""

    def read(self, size: int | None = -1) -> bytes:
        if not (data := super().read(size)):
            raise ResponseStreamingError(error="connection broken")
        return data
