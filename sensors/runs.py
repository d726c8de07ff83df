"""What Dagster knows of runs that sensors ask about before they ask for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from sluice.backfill.chunk import CHUNK_TAG, read_chunk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    Place = tuple[str, str]

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
PROBE_TAG = "sluice/probe"


def places_of(run: dg.DagsterRun) -> tuple[Place, ...]:
    """Return (dataset, partition) of all that a run builds: of a chunk many, the one that it begins with first."""
    dataset = run.tags.get("sluice/dataset", "")
    try:
        chunk = read_chunk(run.tags.get(CHUNK_TAG, ""))
    except ValueError:  # somebody's slip in the launchpad: that run fails and says so, and nobody waits for it
        chunk = ()
    return tuple((dataset, day) for day in chunk) or ((dataset, run.tags.get("dagster/partition", "")),)


def is_in_chunk(instance: dg.DagsterInstance, place: Place, through: Collection[str | None]) -> bool:
    """Whether a chunk that is under way has yet to build this; the runs `through` have tried it already."""
    runs = instance.get_runs(dg.RunsFilter(tags={"sluice/dataset": place[0]}, statuses=UNDER_WAY))
    return any(CHUNK_TAG in run.tags and run.run_id not in through and place in places_of(run) for run in runs)


def datasets_of(run: dg.DagsterRun) -> list[str]:
    """Automation and backfills name no dataset, but the assets they select."""
    if name := run.tags.get("sluice/dataset"):
        return [name]
    return sorted(key.path[-1] for key in run.asset_selection or () if key.path[0] == "tables")


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
