"""When it is quiet after chaos, and what must then be so."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.cli.survey import survey
from resources.dagster_home import open_dagster
from sluice.partition_state import State
from tests.chaos.inputs import DATASETS, DAYS
from tests.chaos.oracle import Rows, difference, paid_of
from tests.chaos.published import rows_shown, snapshots
from tests.chaos.world import FINAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline_assets.cli.environment import Environment
    from tests.chaos.world import World


def unrest(world: World) -> Iterator[str]:
    """Yield what still waits for something."""
    environment = world.environment
    statuses = survey(environment)
    if len(statuses) != (places := len(world.landed.files) + len(_derived_days(world))):
        yield f"{len(statuses)} of {places} partitions are known"
    for item in statuses:
        if item.state is not State.PUBLISHED:
            yield f"{item.dataset} {item.partition} is {item.state}: {item.error}"
    for incident in environment.ledger.incidents(open_only=True):
        yield f"incident {incident.number} is open: {incident.dataset} {incident.partition} {incident.failure_class}"
    for attempt in environment.ledger.open_attempts():
        yield f"attempt {attempt.number} is open: {attempt.dataset} {attempt.partition} {attempt.run_id}"
    for spend in environment.ledger.open_spends():
        yield f"money is reserved: {spend}"
    for run in runs(environment):
        if run.status not in FINAL:
            yield f"run {run.run_id} of {run.job_name} {run.tags.get('dagster/partition')} is {run.status.value}"


def runs(environment: Environment) -> list[dg.DagsterRun]:
    with open_dagster(environment.settings.dagster_home) as instance:
        return list(instance.get_runs())


def errors_of_runs(environment: Environment, most: int = 20) -> Iterator[str]:
    """Yield what the newest runs that failed died of."""
    with open_dagster(environment.settings.dagster_home) as instance:
        for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=most):
            place = f"{run.run_id} {run.job_name} {run.tags.get('dagster/partition')}"
            for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
                event = entry.dagster_event
                error = event.step_failure_data.error if event else None
                while error and error.cause:
                    error = error.cause
                yield f"{place} {event.step_key if event else ''}: {error.message.strip() if error else ''}"


def faults_of_history(world: World) -> Iterator[str]:
    """Yield every snapshot that ever showed what its files do not say, or two things under one fingerprint."""
    for dataset in DATASETS:
        for shown in snapshots(world.environment, dataset):
            expected = world.landed.states.get((dataset, shown.partition, shown.fingerprint))
            if expected is None:
                yield f"{dataset} {shown.partition} was published from files that never were: {shown.fingerprint}"
            elif expected.rows != shown.rows:
                yield f"{dataset} {shown.partition} was published wrong: {difference(shown.rows, expected.rows)}"
    first: dict[tuple[str, str], Rows] = {}
    for shown in snapshots(world.environment, "paid"):
        known = first.setdefault((shown.partition, shown.fingerprint), shown.rows)
        if known != shown.rows:
            yield f"paid {shown.partition} {shown.fingerprint} was published as two: {difference(shown.rows, known)}"


def faults_of_tables(world: World) -> Iterator[str]:
    """Yield where tables or balances are not what the files come to, counted in plain Python."""
    shown = {dataset: rows_shown(world.environment, dataset) for dataset in (*DATASETS, "paid")}
    for place in world.landed.files:
        dataset, day = place
        expected = world.landed.expected(place)
        if shown[dataset][day] != expected.rows:
            yield f"{dataset} {day} shows {difference(shown[dataset][day], expected.rows)}"
        yield from _imbalance(world, place)
    for day in _derived_days(world):
        derived = paid_of(shown["orders"][day], shown["payments"][day])
        if shown["paid"][day] != derived:
            yield f"paid {day} shows {difference(shown['paid'][day], derived)}"


def _derived_days(world: World) -> list[str]:
    return [day for day in DAYS if {("orders", day), ("payments", day)} <= world.landed.files.keys()]


def _imbalance(world: World, place: tuple[str, str]) -> Iterator[str]:
    """Every record of every file is published, in quarantine, or lost to another with its key."""
    expected, published = world.landed.expected(place), world.environment.ledger.published(*place)
    assert published is not None
    outcome = published.outcome
    wanted = (expected.records_in, expected.rows.total(), expected.quarantined)
    if (found := (outcome.records_in, outcome.published, outcome.quarantined)) != wanted:
        yield f"{place} has records in, published, quarantined {found}, not {wanted}"
    if open_ones := [item.key for item in outcome.objects if not item.closes]:
        yield f"{place} does not account for all records of {open_ones}"
    if {item.key for item in outcome.objects} != {f"raw/{key}" for key in world.landed.files[place]}:
        yield f"{place} was built from other files than are there"


def differences(chaos: Environment, reference: Environment) -> Iterator[str]:
    """Yield where two homes do not hold the same rows, balances and quarantined records."""
    for dataset in (*DATASETS, "paid"):
        here, there = rows_shown(chaos, dataset), rows_shown(reference, dataset)
        for day in DAYS:
            if here[day] != there[day]:
                yield f"{dataset} {day} differs: {difference(here[day], there[day])}"
            if _kept(chaos, dataset, day) != _kept(reference, dataset, day):
                yield f"{dataset} {day} has other balances or another quarantine"


def _kept(environment: Environment, dataset: str, day: str) -> Mapping[str, object] | None:
    from sluice.quarantine_reader import read_quarantine

    published = environment.ledger.published(dataset, day)
    if published is None:
        return None
    outcome, rejected = published.outcome, Counter[object]()
    for file in outcome.quarantine_files:
        with environment.store.open(file.key) as opened:
            rejected.update(read_quarantine(opened))
    sums = (outcome.records_in, outcome.published, outcome.quarantined, outcome.duplicates)
    objects = outcome.objects if dataset != "paid" else ()  # what is derived is named after versions
    return {"sums": sums, "objects": objects, "reasons": outcome.reasons if objects else (), "rejected": rejected}
