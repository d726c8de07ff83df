"""What Dagster knows of runs that sensors ask about before they ask for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def places_queued(instance: dg.DagsterInstance, job_names: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Return (job, partition) of the runs that have not begun: each will read its partition as it is by then."""
    names = frozenset(job_names)
    queued = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    return frozenset((run.job_name, run.tags.get("dagster/partition", "")) for run in queued if run.job_name in names)


def is_probed(instance: dg.DagsterInstance, claim: str) -> bool:
    """Whether a run was asked for that may claim this probe: one is enough, and the run itself claims it."""
    return instance.get_runs_count(dg.RunsFilter(tags={PROBE_TAG: claim})) > 0
