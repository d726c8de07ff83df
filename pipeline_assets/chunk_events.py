"""Shows in Dagster what becomes of each partition of a chunk, as the steps of a run of its own would be shown.

A range run of the assets themselves would not do: one result of a step stands for all its partitions.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    DEFAULT_DATA_VERSION,
    NULL_EVENT_POINTER,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent

from pipeline_assets.asset_specs import Zone, asset_key, code_version
from sluice.gates import RAW_GATES, STAGED_GATES, Severity
from sluice.judging import gates_of, severity_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from pipeline_assets.work import Reported
    from sluice.contract import Contract

T = TypeVar("T")


@runtime_checkable
class StoresTogether(Protocol):
    """An event log that can store many events at the price of one."""

    def together(self) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class Reporter:
    """Keeps what the steps of one partition report until it is flushed; `inputs` are the tables that it is made of."""

    context: dg.OpExecutionContext
    contract: Contract
    partition: str
    inputs: tuple[str, ...] = ()
    _waiting: list[Reported] = field(default_factory=list)
    _newest: dict[dg.AssetKey, dg.EventLogRecord | None] = field(default_factory=dict)

    def plan(self) -> None:
        """Say what is about to be built: where no result follows, the partition is shown as failed with the run."""
        with self._together():
            for zone in Zone:
                if zone is not Zone.RAW or self.contract.source:
                    planned = AssetMaterializationPlannedData(self._key(zone), partition=self.partition)
                    event = DagsterEvent.build_asset_materialization_planned_event(
                        self.context.job_name, self.context.op.name, planned
                    )
                    self.context.instance.report_dagster_event(event, self.context.run_id)

    def take(self, reported: Generator[Reported, None, T]) -> T:
        """Do the work of a step and return its result; what it reported before it failed is kept as well."""
        while True:
            try:
                self._waiting.append(next(reported))
            except StopIteration as end:
                result: T = end.value
                return result

    def take_all(self, reported: Iterable[Reported]) -> None:
        self._waiting.extend(reported)

    def flush(self) -> None:
        """Store what was reported; the order is that of the steps, for each refers to what the one before it made."""
        with self._together():
            for item in self._waiting:
                if isinstance(item, dg.AssetCheckResult):
                    self.context.log_event(self._evaluation(item))  # type: ignore[arg-type]  # as in audits.py
                else:
                    self.context.log_event(self._materialization(item))
        self._waiting.clear()

    def _together(self) -> AbstractContextManager[None]:
        log = self.context.instance.event_log_storage
        return log.together() if isinstance(log, StoresTogether) else nullcontext()

    def _materialization(self, item: dg.MaterializeResult[None]) -> dg.AssetMaterialization:
        key = item.asset_key
        assert key is not None  # noqa: S101  every step names it
        assert item.data_version is not None  # noqa: S101  and the version
        self._newest.pop(dg.AssetKey.from_coercible(key), None)
        tags = {
            CODE_VERSION_TAG: code_version(self.contract),
            DATA_VERSION_TAG: item.data_version.value,
            DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
        }
        for parent in self._parents(dg.AssetKey.from_coercible(key)):
            tags |= self._input_tags(parent)
        return dg.AssetMaterialization(key, partition=self.partition, metadata=item.metadata, tags=tags)

    def _input_tags(self, parent: dg.AssetKey) -> Mapping[str, str]:
        """Dagster hashes the versions of all partitions that an input has; here it is one."""
        seen = self._fetch_newest(parent)
        made = seen.asset_materialization if seen else None
        version = (made.tags or {}).get(DATA_VERSION_TAG, "") if made else ""
        digest = hashlib.sha256(version.encode()).hexdigest() if seen else DEFAULT_DATA_VERSION.value
        return {
            get_input_data_version_tag(parent): digest,
            get_input_event_pointer_tag(parent): str(seen.storage_id) if seen else NULL_EVENT_POINTER,
        }

    def _evaluation(self, item: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
        key, name = item.asset_key, item.check_name
        assert key is not None  # noqa: S101  every gate names it
        assert name is not None  # noqa: S101
        judged = self._fetch_newest(key)
        return dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=name,
            passed=item.passed,
            metadata=item.metadata,
            severity=item.severity,
            description=item.description,
            blocking=name in _blocking(self.contract),
            partition=self.partition,
            target_materialization_data=judged
            and AssetCheckEvaluationTargetMaterializationData(
                run_id=judged.run_id, storage_id=judged.storage_id, timestamp=judged.timestamp
            ),
        )

    def _parents(self, key: dg.AssetKey) -> tuple[dg.AssetKey, ...]:
        if key == self._key(Zone.RAW):
            return ()
        if key == self._key(Zone.TABLES):
            return (self._key(Zone.PROCESSED),)
        tables = tuple(asset_key(Zone.TABLES, name) for name in self.inputs)
        return (self._key(Zone.RAW),) if self.contract.source else tables

    def _fetch_newest(self, key: dg.AssetKey) -> dg.EventLogRecord | None:
        if key not in self._newest:
            asked = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[self.partition])
            self._newest[key] = next(iter(self.context.instance.fetch_materializations(asked, limit=1).records), None)
        return self._newest[key]

    def _key(self, zone: Zone) -> dg.AssetKey:
        return asset_key(zone, self.contract.dataset)


def _blocking(contract: Contract) -> frozenset[str]:
    gates = gates_of(contract, (*RAW_GATES, *STAGED_GATES))
    return frozenset(gate.name for gate in gates if severity_of(gate, contract) is Severity.BLOCK)
