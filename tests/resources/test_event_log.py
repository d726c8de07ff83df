"""Dagster's event log in one file: many events are one transaction where somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest

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
