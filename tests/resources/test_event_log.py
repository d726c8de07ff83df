"""Dagster's event log in one file: many events are one transaction where somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType

from resources.dagster_home import open_dagster
from resources.event_log import OneFileEventLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = dg.AssetKey(["tables", "orders"])


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_dagster(tmp_path) as opened:
        yield opened


def log_of(instance: dg.DagsterInstance) -> OneFileEventLog:
    log = instance.event_log_storage
    assert isinstance(log, OneFileEventLog)
    return log


def report(instance: dg.DagsterInstance, day: str) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition=day, tags={"dagster/data_version": day}))


def test_what_is_stored_together_can_be_read_at_once_and_after(instance: dg.DagsterInstance) -> None:
    with log_of(instance).together():
        report(instance, "2026-11-03")
        inside = instance.get_materialized_partitions(KEY)
        report(instance, "2026-11-04")

    assert inside == {"2026-11-03"}
    assert instance.get_materialized_partitions(KEY) == {"2026-11-03", "2026-11-04"}


def test_others_see_all_of_it_or_nothing(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    report(instance, "2026-11-02")
    with open_dagster(tmp_path) as other, log_of(instance).together():
        report(instance, "2026-11-03")
        seen = other.get_materialized_partitions(KEY)

    assert seen == {"2026-11-02"}


def test_a_failure_in_between_stores_nothing_and_the_log_goes_on(instance: dg.DagsterInstance) -> None:
    with pytest.raises(ZeroDivisionError), log_of(instance).together():  # noqa: PT012  the report is what is undone
        report(instance, "2026-11-03")
        raise ZeroDivisionError

    report(instance, "2026-11-04")

    assert instance.get_materialized_partitions(KEY) == {"2026-11-04"}


def evaluate(instance: dg.DagsterInstance, run: dg.DagsterRun, *, passed: bool) -> None:
    evaluation = dg.AssetCheckEvaluation(
        asset_key=KEY, check_name="is_good", passed=passed, metadata={"rows": 3}, partition="2026-11-03"
    )
    event = DagsterEvent(
        event_type_value=DagsterEventType.ASSET_CHECK_EVALUATION.value,
        job_name=run.job_name,
        event_specific_data=evaluation,
    )
    instance.report_dagster_event(event, run.run_id)


def checks(instance: dg.DagsterInstance) -> list[tuple[str, str, bool | None, object]]:
    """Return what is there of each execution, without ids and times."""
    history = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(KEY, "is_good"), limit=9)
    return [
        (item.status.value, item.run_id, said.passed, (said.metadata["rows"].value, item.partition))
        for item in history
        for said in [item.evaluation]
        if said
    ]


@pytest.mark.parametrize("passed", [True, False], ids=["passed", "failed"])
def test_a_check_stored_together_is_there_as_one_stored_alone(tmp_path: Path, passed: bool) -> None:  # noqa: FBT001
    with open_dagster(tmp_path / "together") as first, open_dagster(tmp_path / "alone") as second:
        run = first.create_run_for_job(_nothing)
        with log_of(first).together():
            evaluate(first, run, passed=passed)
        evaluate(second, run, passed=passed)

        assert checks(first) == checks(second)
        assert [item[0] for item in checks(first)] == ["SUCCEEDED" if passed else "FAILED"]


def test_a_check_that_is_evaluated_again_in_its_run_is_there_once(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(_nothing)
    with log_of(instance).together():
        evaluate(instance, run, passed=False)
        evaluate(instance, run, passed=True)

    assert [item[0] for item in checks(instance)] == ["SUCCEEDED"]


def test_an_asset_is_known_by_its_newest_materialization(instance: dg.DagsterInstance) -> None:
    report(instance, "2026-11-03")
    report(instance, "2026-11-04")

    newest = instance.get_latest_materialization_event(KEY)

    assert newest is not None
    assert newest.asset_materialization is not None
    assert newest.asset_materialization.partition == "2026-11-04"
    assert instance.all_asset_keys() == [KEY]


@dg.job(name="nothing")
def _nothing() -> None:
    pass
