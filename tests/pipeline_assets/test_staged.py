from __future__ import annotations

import dagster as dg
import pytest

from pipeline_assets.staged import Staged, fetch_staged, staged_result
from sluice.contract import Contract
from sluice.errors import StagedFilesMissing
from sluice.version import Version

DAY = "2026-11-03"
ORDERS = Contract("orders", "1.0.0", ())
OLDER, NEWER = (Staged(Version(name * 16, "c" * 12, "1"), number) for number, name in ((1, "a"), (2, "b")))


@pytest.mark.parametrize(("run", "staged"), [("first", OLDER), ("second", NEWER), ("another", NEWER)])
def test_a_run_finds_what_it_staged_itself_and_others_what_was_staged_last(run: str, staged: Staged) -> None:
    with dg.instance_for_test() as instance:
        runs = {"first": stage(instance, OLDER), "second": stage(instance, NEWER)}

        assert fetch_staged(instance, ORDERS, DAY, runs.get(run, run)) == staged


def test_what_was_never_staged_is_told() -> None:
    with dg.instance_for_test() as instance, pytest.raises(StagedFilesMissing, match="never staged"):
        fetch_staged(instance, ORDERS, DAY, "run")


def stage(instance: dg.DagsterInstance, staged: Staged) -> str:
    @dg.asset(key=["processed", "orders"], partitions_def=dg.DailyPartitionsDefinition("2026-11-01"))
    def processed() -> dg.MaterializeResult[None]:
        return staged_result(ORDERS, staged, {})

    return dg.materialize([processed], instance=instance, partition_key=DAY).run_id
