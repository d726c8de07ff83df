"""Dagster without its servers: notice arrivals, build all that is pending in this process, end when it is quiet."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.asset_specs import Zone, asset_key
from pipeline_assets.assets import job_name
from pipeline_assets.chunks import chunk_job_name
from pipeline_assets.cli.left_runs import HEADLESS_TAG, fail_left_by_headless
from pipeline_assets.cli.run_report import Event, Progress, RunResult, RunSummary
from pipeline_assets.cli.survey import taken_back
from pipeline_assets.definitions import PORTS, build_definitions
from pipeline_assets.stand_ins import JOB_NAME as STAND_IN_JOB
from resources.dagster_home import open_dagster
from resources.run_lock import hold_lock
from sensors.arrivals import SENSOR_NAME
from sensors.orphans import WORKER_TAG
from sensors.pulls import SENSOR_NAME as PULLS
from sensors.stand_ins import SENSOR_NAME as STAND_INS
from sluice import errors
from sluice.arrivals import SETTLE, sweep_raw_zone
from sluice.backfill.chunk import CHUNK_TAG, chunk_text
from sluice.contract import CODE_VERSION
from sluice.gates import GATES
from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.healing.breaker import BreakerState, explain_breaker
from sluice.healing.breakers import Breakers
from sluice.partition_state import State
from sluice.publishing import Effect
from sluice.pulling.schedule import is_pull
from sluice.survey import survey, wanted_versions
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dagster._core.definitions.sensor_definition import SensorExecutionData
    from dagster._core.execution.execute_in_process_result import ExecuteInProcessResult
    from dagster_shared.error import SerializableErrorInfo

    from pipeline_assets.cli.environment import Environment
    from sluice.arrivals import Sweep
    from sluice.partition_state import PartitionStatus

__all__ = ["Event", "Progress", "RunResult", "RunSummary", "build_places", "build_runs", "run_until_quiet"]

_SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_PATIENCE = 5  # times SETTLE: an object that is still being written by then is left for the next invocation


def run_until_quiet(environment: Environment, *, on_progress: Callable[[Progress], None]) -> RunSummary:
    """Build what has landed and what is derived from it; a partition that fails is tried once per invocation."""
    with _alone(environment, on_progress) as (runner, killed):
        runner.build()
        return RunSummary(tuple(runner.results), killed, runner.sweep())


def build_places(
    environment: Environment,
    places: Sequence[tuple[str, str]],
    *,
    tags: Mapping[str, str],
    on_progress: Callable[[Progress], None],
) -> tuple[RunResult, ...]:
    """Build these partitions (dataset, date), one after the other, whatever their state."""
    with _alone(environment, on_progress) as (runner, _):
        runner.execute([_Pending(name, day, {"sluice/dataset": name, **tags}) for name, day in places])
        return tuple(runner.results)


def build_runs(
    environment: Environment,
    runs: Sequence[Sequence[tuple[str, str]]],
    *,
    tags: Mapping[str, str],
    on_progress: Callable[[Progress], None],
) -> None:
    """Build partitions, those of each run together: one in a run of its own, many of a dataset as a chunk."""
    with _alone(environment, on_progress) as (runner, _):
        for places in runs:
            named = {"sluice/dataset": places[0][0], **tags}
            if len(places) == 1:
                runner.execute([_Pending(*places[0], named)])
            else:
                runner.execute_chunk(places[0][0], [day for _, day in places], named)


@contextmanager
def _alone(environment: Environment, on_progress: Callable[[Progress], None]) -> Iterator[tuple[_Runner, int]]:
    """Give a runner, and how many runs of a killed invocation were ended, once no other invocation is at work."""

    def say_waiting() -> None:
        on_progress(Progress(Event.WAITING, message="Another `sluice run` is at work here; waiting until it ends."))

    home = environment.settings.dagster_home
    with (
        hold_lock(home / "headless.lock", on_wait=say_waiting),
        open_dagster(home) as instance,
        _quiet_logs(environment),
    ):
        killed = fail_left_by_headless(instance, environment)
        yield _Runner(instance, environment, on_progress), killed


@dataclass(frozen=True, slots=True)
class _Pending:
    dataset: str
    partition: str
    tags: Mapping[str, str]


class _Runner:
    """One invocation: the same definitions, sensor and jobs as the daemon's, run one after the other."""

    def __init__(
        self, instance: dg.DagsterInstance, environment: Environment, on_progress: Callable[[Progress], None]
    ) -> None:
        self.results: list[RunResult] = []
        self._instance = instance
        self._environment = environment
        self._on_progress = on_progress
        self._ports = {name: getattr(environment, name) for name in PORTS}
        self._run_config = {} if environment.settings.telemetry.are_logs_json else _SILENT
        self._definitions = build_definitions(environment.contracts, self._ports).get_repository_def()
        self._cursor: str | None = None  # from the start: whatever no table holds is asked for once

    def build(self) -> None:
        while pulls := self._pulls_pending():
            self.execute(pulls)
        self._build_landed()
        while pending := self._outdated(derived=False, since=0):  # a probe that succeeds lets the others go on
            self.execute(pending)
        self._stand_in()
        self._build_derived()
        while self._build_landed():  # something arrived meanwhile
            self._build_derived()

    def sweep(self) -> Sweep:
        environment = self._environment
        contracts = environment.contracts.values()
        return sweep_raw_zone(contracts, environment.store, environment.ledger, environment.clock.now())

    def _build_landed(self) -> bool:
        before, waits = len(self.results), 0
        while True:
            if pending := self._landed_pending():
                self.execute(pending)
                continue
            swept = self.sweep()  # the sensor may not have looked yet at what was overwritten in place
            if swept.unsettled and waits < _PATIENCE:
                waits += 1
                message = f"{len(swept.unsettled):,} objects were just written."
                self._on_progress(Progress(Event.WAITING, message=message))
                time.sleep(SETTLE.total_seconds())
            elif not swept.noticed:
                return len(self.results) > before

    def _build_derived(self) -> None:
        before = len(self.results)
        while pending := self._outdated(derived=True, since=before):  # one derived dataset may read another
            self.execute(pending)

    def _pulls_pending(self) -> Sequence[_Pending]:
        """Ask the pulls sensor, which is there only if a dataset is pulled, and take up what failed before."""
        if not self._definitions.has_sensor_def(PULLS):
            return ()
        tried = {(run.dataset, run.partition) for run in self.results}
        pending = {(item.dataset, item.partition): item for item in (*self._failed_pulls(), *self._asked_by(PULLS))}
        return [item for place, item in pending.items() if place not in tried]

    def _failed_pulls(self) -> Iterator[_Pending]:
        """Here is no sensor for retries: whoever calls again wants it tried again."""
        for attempt in self._environment.ledger.failed_attempts():
            fingerprint = Version.parse(attempt.version).fingerprint
            if is_pull(fingerprint) and attempt.dataset in self._environment.contracts:
                tags = {"sluice/dataset": attempt.dataset, "sluice/fingerprint": fingerprint}
                yield _Pending(attempt.dataset, attempt.partition, tags)

    def _landed_pending(self) -> Sequence[_Pending]:
        """Ask the arrivals sensor, as the daemon does."""
        asked, rewound = self._asked_by(SENSOR_NAME), self._rewound()
        return [item for item in asked if (item.dataset, item.partition) not in rewound]

    def _asked_by(self, name: str) -> Sequence[_Pending]:
        return [
            _Pending(
                asked.tags["sluice/dataset"], asked.partition_key, {**asked.tags, "dagster/run_key": asked.run_key}
            )
            for asked in self._tick(name).run_requests or ()
            if asked.partition_key and asked.run_key
        ]

    def _tick(self, name: str) -> SensorExecutionData:
        sensor = self._definitions.get_sensor_def(name)
        ports = {name: self._ports[name] for name in sensor.required_resource_keys}
        cursor = self._cursor if name == SENSOR_NAME else None
        with dg.build_sensor_context(
            instance=self._instance, cursor=cursor, repository_def=self._definitions, resources=ports
        ) as context:
            tick = sensor.evaluate_tick(context)
        if name == SENSOR_NAME:
            self._cursor = tick.cursor
        return tick

    def _stand_in(self) -> None:
        """What is late although all was built that could be, is stood in for, as the daemon does it."""
        for asked in self._tick(STAND_INS).run_requests or ():
            tags = {**asked.tags, **self._mine}
            done = self._definitions.get_job(STAND_IN_JOB).execute_in_process(
                instance=self._instance, tags=tags, run_config=self._run_config, raise_on_error=False
            )
            if not done.success:
                place = (asked.tags["sluice/dataset"], asked.tags["dagster/partition"])
                self.results.append(RunResult(*place, None, 0.0, _error_of(done)))

    def _rewound(self) -> frozenset[tuple[str, str]]:
        """Find what waits for a corrected file: its version would be staged and judged, and then left alone."""
        if not taken_back(self._environment):
            return frozenset()
        found = (item for item in self._survey() if item.state is State.REWOUND)
        return frozenset((item.dataset, item.partition) for item in found)

    def _survey(self) -> Sequence[PartitionStatus]:
        ledger = self._environment.ledger
        manifests = [noticed.manifest for noticed in ledger.noticed_after(0)]
        return survey(
            self._environment.contracts,
            manifests,
            ledger.all_published(),
            ledger.last_attempt,
            taken_back=taken_back(self._environment),
        )

    def _outdated(self, *, derived: bool, since: int) -> Sequence[_Pending]:
        """Find what tables hold in another version than contracts, code and inputs ask for, unless tried `since`.

        The sensor looks at landed files alone: a contract that was changed rebuilds here, where somebody asked for it.
        """
        contracts = self._environment.contracts
        tried = {(run.dataset, run.partition) for run in self.results[since:]}
        return [
            _Pending(status.dataset, status.partition, {"sluice/dataset": status.dataset})
            for status in self._survey()
            if status.state not in {State.PUBLISHED, State.PLACEHOLDER, State.REWOUND}
            and (contracts[status.dataset].transform_sql is not None) == derived
            and (status.dataset, status.partition) not in tried
            and self._has_partition(status.dataset, status.partition)
        ]

    def _has_partition(self, dataset: str, partition: str) -> bool:
        partitions = self._definitions.get_job(job_name(dataset)).partitions_def
        return partitions is not None and partitions.has_partition_key(partition)

    def execute(self, pending: Sequence[_Pending]) -> None:
        before = len(self.results)
        for item in pending:
            number, total = len(self.results) + 1, before + len(pending)
            if held := self._held(item):
                self.results.append(held)
                continue  # the summary tells of them all at once
            self._on_progress(Progress(Event.STARTED, item.dataset, item.partition, number, total))
            result = self._run(item)
            self.results.append(result)
            event = Event.FAILED if result.error else Event.SUCCEEDED
            message = result.error or str(result.effect)
            self._on_progress(Progress(event, item.dataset, item.partition, number, total, result.seconds, message))

    def execute_chunk(self, dataset: str, partitions: Sequence[str], tags: Mapping[str, str]) -> None:
        """Tell of the whole when it begins, and of each partition when it has ended."""
        place = f"{partitions[-1]} to {partitions[0]}, {len(partitions):,} partitions"
        self._on_progress(Progress(Event.STARTED, dataset, place, 1, 1))
        started = time.monotonic()
        done = self._definitions.get_job(chunk_job_name(dataset)).execute_in_process(
            instance=self._instance,
            tags={**tags, CHUNK_TAG: chunk_text(partitions), **self._mine},
            run_config=self._run_config,
            raise_on_error=False,
        )
        seconds = time.monotonic() - started
        event = Event.SUCCEEDED if done.success else Event.FAILED
        message = str(Effect.COMMITTED) if done.success else _error_of(done)
        self._on_progress(Progress(event, dataset, place, 1, 1, seconds, message))

    @property
    def _mine(self) -> Mapping[str, str]:
        return {**HEADLESS_TAG, WORKER_TAG: str(self._environment.workers.mine())}

    def _held(self, item: _Pending) -> RunResult | None:
        """Return a result if an open breaker holds it: nothing is launched. What is to probe is let in by its gate."""
        environment = self._environment
        forced = (item.dataset, item.partition, BREAKER_IS_CLOSED.name)
        if any((a.dataset, a.partition, a.gate) == forced for a in environment.ledger.acceptances(item.dataset)):
            return None
        breakers = Breakers(environment.contracts, environment.ledger, environment.clock.now())
        holding = [found for found in breakers.holding(item.dataset) if found.state is BreakerState.OPEN]
        if not holding:
            return None
        if (version := self._wanted(item)) is not None:
            environment.ledger.record_verdicts((breakers.hold(item.dataset, item.partition, version),))
        return RunResult(item.dataset, item.partition, None, 0.0, explain_breaker(holding[0]), is_held=True)

    def _wanted(self, item: _Pending) -> Version | None:
        """Return the version that its run would build; None where a pull comes first."""
        fingerprint = item.tags.get("sluice/fingerprint")
        if fingerprint is not None:
            present = Version(fingerprint, self._environment.contracts[item.dataset].fingerprint, CODE_VERSION)
            return None if is_pull(fingerprint) else present
        ledger = self._environment.ledger
        manifests = [noticed.manifest for noticed in ledger.noticed_after(0)]
        held = {(found.outcome.dataset, found.outcome.partition): found for found in ledger.all_published()}
        return wanted_versions(self._environment.contracts, manifests, held).get((item.dataset, item.partition))

    def _run(self, item: _Pending) -> RunResult:
        started = time.monotonic()
        done = self._definitions.get_job(job_name(item.dataset)).execute_in_process(
            instance=self._instance,
            partition_key=item.partition,
            tags={**item.tags, **self._mine},
            run_config=self._run_config,
            raise_on_error=False,
        )
        seconds = time.monotonic() - started
        error = None if done.success else _error_of(done)
        return RunResult(item.dataset, item.partition, _effect_of(done, item.dataset), seconds, error)


def _effect_of(done: ExecuteInProcessResult, dataset: str) -> Effect | None:
    if not done.success:
        return None
    key = asset_key(Zone.TABLES, dataset)
    shown = next(item for item in done.get_asset_materialization_events() if item.asset_key == key)
    return Effect(str(shown.materialization.metadata["effect"].value))


def _error_of(done: ExecuteInProcessResult) -> str:
    """Return what gates stopped the run, or what the first failed step raised, without Dagster's wrapping."""
    gates = {gate.name for gate in GATES}
    stopping = [
        f"{item.check_name} does not hold: {item.description}"
        for item in done.get_asset_check_evaluations()
        if item.check_name in gates and not item.passed and item.severity is dg.AssetCheckSeverity.ERROR
    ]
    if stopping:
        return " ".join(stopping)
    for event in done.get_step_failure_events():
        error = event.step_failure_data.error
        while error and error.cause and not _says_what_to_do(error):
            error = error.cause
        if error:
            return error.message.strip().partition(": ")[2] or error.message.strip()
    return f"The run failed; see run {done.run_id} in the web UI."


def _says_what_to_do(error: SerializableErrorInfo) -> bool:
    """Whether it is an error of Sluice's own: below it is what a library had said, without a cure."""
    kind = getattr(errors, error.cls_name or "", None)
    return isinstance(kind, type) and issubclass(kind, errors.SluiceError)


@contextmanager
def _quiet_logs(environment: Environment) -> Iterator[None]:
    """Progress says what matters; Dagster's own lines would bury it. Its event log keeps them all."""
    if environment.settings.telemetry.are_logs_json:
        yield
        return
    logger = logging.getLogger("dagster")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
