"""What Dagster knows of runs that sensors ask about before they ask for more."""

from __future__ import annotations

import dagster as dg

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
PROBE_TAG = "sluice/probe"


def count_under_way(instance: dg.DagsterInstance, dataset: str) -> int:
    return instance.get_runs_count(dg.RunsFilter(tags={"sluice/dataset": dataset}, statuses=UNDER_WAY))


def is_probed(instance: dg.DagsterInstance, claim: str) -> bool:
    """Whether a run was asked for that may claim this probe: one is enough, and the run itself claims it."""
    return instance.get_runs_count(dg.RunsFilter(tags={PROBE_TAG: claim})) > 0
