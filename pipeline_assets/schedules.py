"""Datasets that are built by the clock, as schedules of Dagster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from sluice.scheduling import Schedule, partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from sluice.contract import Contract


def build_schedules(
    contracts: Mapping[str, Contract], jobs: Mapping[str, UnresolvedAssetJobDefinition]
) -> list[dg.ScheduleDefinition]:
    return [
        _schedule(contract, contract.schedule, jobs[name])
        for name, contract in contracts.items()
        if contract.schedule is not None
    ]


def _schedule(contract: Contract, schedule: Schedule, job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"schedule_{contract.dataset}",
        job=job,
        cron_schedule=schedule.cron,
        execution_timezone=schedule.zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Builds `{contract.dataset}` for the day {schedule.days_back} before, whatever has landed.",
    )
    def scheduled(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        at = context.scheduled_execution_time
        partition = partition_of(schedule, at, contract.start)
        if partition is None:
            return dg.SkipReason(f"{contract.dataset} has no partition that {at} is about.")
        return dg.RunRequest(
            run_key=f"{contract.dataset}:{at.isoformat()}",
            partition_key=partition,
            tags={"sluice/dataset": contract.dataset, "sluice/asked_by": "schedule"},
        )

    return scheduled
