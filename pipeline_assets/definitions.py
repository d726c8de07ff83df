"""The door for Dagster: all contracts as one set of definitions, with the ports of this environment behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.assets import build_datasets
from pipeline_assets.audits import audit_job
from pipeline_assets.chunks import chunk_job
from pipeline_assets.maintenance import maintenance_assets, maintenance_job, maintenance_schedule
from pipeline_assets.redrive import redrive_job
from pipeline_assets.replay_job import replay_job
from pipeline_assets.schedules import build_schedules
from pipeline_assets.stand_ins import stand_in_job
from sensors.arrivals import build_arrivals_sensor
from sensors.audits import build_audits_sensor
from sensors.automation import build_automation_sensor
from sensors.backfills import build_backfills_sensor
from sensors.events import build_events_sensor
from sensors.freshness import build_freshness_sensor
from sensors.notices import build_notices_sensor
from sensors.orphans import build_orphans_sensor
from sensors.pulls import build_pulls_sensor
from sensors.reopening import build_reopening_sensor
from sensors.reprocessing import build_reprocessing_sensor
from sensors.retries import build_retries_sensor
from sensors.stand_ins import build_stand_ins_sensor
from sluice.healing.downstream import with_downstream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_assets.cli.environment import Environment
    from sluice.contract import Contract
    from sluice.events.message import Watched

PORTS = (
    *("store", "ledger", "tables", "clock", "prices", "settings", "failures", "notifier", "sources", "workers"),
    *("expectation_engine", "engine", "upkeep"),
)
"""What steps and sensors ask an environment for, by its own names."""

_QUEUE = "queue"  # only where events tell what has landed


def build_definitions(
    contracts: Mapping[str, Contract],
    ports: Mapping[str, object],
    *,
    maintenance_cron: str | None = None,
    watched: Watched | None = None,
) -> dg.Definitions:
    """Return everything Dagster runs. `ports` holds what lazy_ports names, or Dagster resources.

    Without a cron maintenance is done only when somebody asks for it. What is `watched` needs the port `queue`.
    """
    contracts = with_downstream(contracts)
    datasets = build_datasets(contracts)
    jobs = {name: dataset.job for name, dataset in datasets.items()}
    chunk_jobs = {name: chunk_job(contract, contracts, ports) for name, contract in contracts.items()}
    stand_in, audit = stand_in_job(contracts), audit_job(contracts)
    landed = {name: job for name, job in jobs.items() if contracts[name].source}
    redrive = redrive_job(contracts, lambda name: definitions.resolve_job_def(name))  # noqa: PLW0108  not there yet
    replay = replay_job(contracts, lambda name: definitions.resolve_job_def(name))  # noqa: PLW0108
    upkeep = maintenance_assets(contracts, lambda name: definitions.resolve_job_def(name))  # noqa: PLW0108  as above
    maintenance = maintenance_job(upkeep)
    pulled = {name: job for name, job in landed.items() if (source := contracts[name].source) and source.pull}
    definitions = dg.Definitions(
        assets=[*(asset for dataset in datasets.values() for asset in dataset.assets), *upkeep],
        asset_checks=[dataset.checks for dataset in datasets.values()],
        jobs=[
            *jobs.values(),
            *chunk_jobs.values(),
            audit,
            *([maintenance] if upkeep else []),
            redrive,
            replay,
            stand_in,
        ],
        schedules=[
            *([maintenance_schedule(maintenance, maintenance_cron)] if upkeep and maintenance_cron else []),
            *build_schedules(contracts, jobs),
        ],
        sensors=[
            build_arrivals_sensor(contracts, landed, listing_every=watched.listing_every if watched else None),
            *([build_events_sensor(contracts, jobs, watched.zone)] if watched else []),
            build_automation_sensor(),
            build_reopening_sensor(contracts, jobs),
            build_retries_sensor(contracts, jobs),
            build_reprocessing_sensor(contracts, landed),
            build_orphans_sensor(),
            build_notices_sensor(contracts),
            build_freshness_sensor(contracts),
            build_backfills_sensor(contracts, jobs, chunk_jobs),
            build_audits_sensor(contracts, audit.name),
            *([build_pulls_sensor(contracts, pulled)] if pulled else []),
            build_stand_ins_sensor(contracts, stand_in.name),
        ],
        resources=dict(ports),
        # The steps of a run are one straight line: a process for each would cost seconds and buy nothing.
        executor=dg.in_process_executor,
    )
    return definitions


def lazy_ports(environment: Environment) -> dict[str, dg.ResourceDefinition]:
    """Return the ports as resources that are opened when a step or sensor asks for them."""
    return {name: _opened_when_asked_for(environment, name) for name in (*PORTS, _QUEUE)}


def _opened_when_asked_for(environment: Environment, name: str) -> dg.ResourceDefinition:
    return dg.ResourceDefinition(lambda _: getattr(environment, name))


@dg.definitions
def defs() -> dg.Definitions:
    """Load the definitions of the process environment; workspace.yaml points here."""
    from pipeline_assets.cli.environment import open_environment
    from resources.telemetry import keep_telemetry

    environment = open_environment()
    keep_telemetry(environment.settings.telemetry)
    cron = environment.settings.maintenance_cron
    ports = lazy_ports(environment)
    return build_definitions(environment.contracts, ports, maintenance_cron=cron, watched=environment.watched)
