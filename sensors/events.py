"""Takes events from the queue: notices what they tell of, asks for the runs they ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg

from sensors import watching
from sensors.watching import Watch
from sluice.arrivals import ArrivalsLedger, RawStore
from sluice.events.intake import Intake, Taken
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.contract import Contract
    from sluice.events.message import Message, RunAsked, Zone

SENSOR_NAME = "events"
_LONGEST = timedelta(seconds=20)
"""A tick ends after so long, well before a message that it holds is given to somebody else."""

_MOST_RECEIPTS = 100
_SHOWN = 5


class Queue(Protocol):
    def receive(self) -> tuple[Message, ...]: ...
    def delete(self, receipts: Sequence[str]) -> None: ...
    def reject(self, message: Message, reason: str) -> None: ...


class Store(RawStore, Protocol):
    """What has landed."""


class Ledger(ArrivalsLedger, watching.Ledger, Protocol):
    """What was noticed, and what went wrong."""


class Clock(Protocol):
    def now(self) -> datetime: ...


def build_events_sensor(
    contracts: Mapping[str, Contract], jobs: Mapping[str, UnresolvedAssetJobDefinition], zone: Zone
) -> dg.SensorDefinition:
    """Return the sensor; `jobs` holds the job of each dataset."""
    watch = Watch("queue")

    @dg.sensor(
        name=SENSOR_NAME,
        jobs=list(jobs.values()),
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Notices the objects that events of S3 tell of, and starts the runs that events ask for.",
    )
    def events(
        context: dg.SensorEvaluationContext,
        queue: dg.ResourceParam[Queue],
        store: dg.ResourceParam[Store],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult:
        with watch.kept(ledger, clock.now()):
            queue.delete(_receipts(context.cursor))  # the tick that left them there has launched their runs
            drained = _drain(queue, contracts, store, ledger, zone, clock)
        for complaint in drained.complaints:
            context.log.warning(complaint)
        if drained.failed:
            raise ExceptionGroup("Messages that stay in the queue until they are tried again", drained.failed)
        return dg.SensorResult(
            run_requests=[_request(asked, jobs) for taken in drained.asking for asked in taken.runs],
            skip_reason=None if drained.asking else dg.SkipReason(drained.text),
            cursor=json.dumps([taken.message.receipt for taken in drained.asking]),
        )

    return events


@dataclass(slots=True)
class _Drained:
    """What a tick did. Messages that ask for runs are deleted by the next one."""

    asking: list[Taken] = field(default_factory=list)
    failed: list[Exception] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    noticed: int = 0

    @property
    def text(self) -> str:
        return f"{counted(self.noticed, 'message')} dealt with." if self.noticed else "No message."


def _drain(
    queue: Queue,
    contracts: Mapping[str, Contract],
    store: Store,
    ledger: Ledger,
    zone: Zone,
    clock: Clock,
) -> _Drained:
    """Take messages while there are some; each is gone from the queue only after what it tells is kept elsewhere."""
    drained = _Drained()
    until = clock.now() + _LONGEST
    for _ in range(_MOST_RECEIPTS):
        messages = queue.receive()
        if not messages:
            break
        intake = Intake(contracts, store, ledger, zone, clock.now())
        queue.delete([message.receipt for message in messages if _is_done(message, intake, queue, drained)])
        if clock.now() >= until:
            break
    return drained


def _is_done(message: Message, intake: Intake, queue: Queue, drained: _Drained) -> bool:
    """Deal with one message; one that fails leaves the others as they are, and comes again by itself."""
    try:
        taken = intake.take(message)
        if taken.reason:
            queue.reject(message, taken.reason)
            drained.complaints.append(f"{taken.reason} It is among the dead letters now: sluice dlq list")
            return False
    except Exception as error:  # noqa: BLE001  raised with all others when the tick is through
        drained.failed.append(error)
        return False
    drained.noticed += 1
    if taken.strays:
        shown = ", ".join(taken.strays[:_SHOWN])
        drained.complaints.append(f"Match no dataset's location; move them, or correct a location: {shown}")
    if taken.runs:
        drained.asking.append(taken)
    return not taken.runs


def _request(asked: RunAsked, jobs: Mapping[str, UnresolvedAssetJobDefinition]) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"event:{asked.id}",  # however often the event is delivered
        job_name=jobs[asked.dataset].name,
        partition_key=asked.partition,
        tags={"sluice/dataset": asked.dataset, "sluice/asked_by": f"event {asked.id}"},
    )


def _receipts(cursor: str | None) -> list[str]:
    try:
        found: Any = json.loads(cursor or "[]")  # Any: checked by use
    except ValueError:
        return []  # the messages come again, and their runs are known
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
