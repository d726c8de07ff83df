"""Maintenance over real files, a real table and a real ledger."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline_assets.condemned import fetch_condemned, replace_condemned
from sluice.maintenance.policy import MaintenancePolicy
from sluice.publishing import Effect
from sluice.rewinding import AtSnapshot
from tests.pipeline_assets.upkeep_desk import DAY_LONG, Desk
from tests.resources.shop import NEXT_DAY

if TYPE_CHECKING:
    from pathlib import Path

B = "b" * 16


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class TestCompaction:
    def test_table_outcome_and_ledger_list_the_same_file_afterwards(self, desk: Desk) -> None:
        outcome = desk.publish(desk.stage([1], [2], [3]), 1)

        report = desk.maintain(DAY_LONG)

        (key,) = desk.shown()
        assert (report.merged_files, report.compacted_files, report.files) == (3, 1, 1)
        assert [file.key for file in desk.recorded().files] == [key]
        assert desk.staged(outcome) == desk.recorded()
        assert desk.ids() == [1, 2, 3]

    def test_a_second_maintenance_has_nothing_to_do(self, desk: Desk) -> None:
        desk.publish(desk.stage([1], [2]), 1)
        desk.maintain(DAY_LONG)

        report = desk.maintain()

        assert (report.merged_files, report.relisted, report.snapshots_expired) == (0, (), 0)

    def test_the_small_files_go_when_nobody_can_go_back_to_them(self, desk: Desk) -> None:
        outcome = desk.publish(desk.stage([1], [2]), 1)

        assert desk.maintain(DAY_LONG).files_removed == 0
        report = desk.maintain(DAY_LONG)

        assert report.files_removed > 2  # and the metadata of the snapshot that is forgotten
        assert not {file.key for file in outcome.files}.intersection(desk.there("processed"))
        assert desk.ids() == [1, 2]

    def test_an_outcome_that_a_killed_compaction_left_behind_is_mended(self, desk: Desk) -> None:
        outcome = desk.publish(desk.stage([1], [2]), 1)
        published = desk.ledger.published("orders", outcome.partition)
        desk.maintain(DAY_LONG)
        assert published is not None
        desk.ledger.record(published)
        desk.claim(outcome).write_text(outcome.model_dump_json())

        assert desk.maintain().relisted == (outcome.partition,)

        assert {file.key for file in desk.recorded().files} == desk.shown()
        assert desk.staged(outcome) == desk.recorded()


class TestOrphans:
    def test_a_staged_version_that_nobody_publishes_goes_in_two_steps(self, desk: Desk) -> None:
        desk.publish(desk.stage([1]), 1)
        unused = desk.stage([7], fingerprint=B, rejected=1)

        first = desk.maintain(DAY_LONG)
        assert desk.staged(unused) is None
        assert (first.versions_withdrawn, first.files_removed) == (1, 0)
        desk.maintain(DAY_LONG)

        assert [key for key in desk.there(".") if B in key] == []

    def test_a_run_that_found_it_before_may_still_publish_it(self, desk: Desk) -> None:
        desk.publish(desk.stage([1]), 1)
        slow = desk.stage([7], fingerprint=B, rejected=1)
        desk.maintain(DAY_LONG)

        desk.publish(slow, 2)
        desk.maintain(DAY_LONG)
        desk.maintain(DAY_LONG)

        assert desk.ids() == [7]
        assert desk.staged(slow) == desk.recorded()
        assert slow.quarantine_files[0].key in desk.there("quarantine")

    def test_files_that_a_killed_run_did_not_claim_go(self, desk: Desk) -> None:
        desk.claim(desk.stage([7], fingerprint=B)).unlink()

        desk.maintain(DAY_LONG)
        desk.maintain(DAY_LONG)

        assert desk.there("processed") == desk.there("quarantine") == []

    def test_what_a_run_is_staging_just_now_is_left_alone(self, desk: Desk) -> None:
        new = desk.stage([7], fingerprint=B)

        desk.maintain(timedelta(hours=23))
        desk.maintain()

        assert desk.staged(new) == new

    def test_the_version_that_was_tried_last_may_be_about_to_be_published(self, desk: Desk) -> None:
        blocked = desk.stage([7], fingerprint=B)
        desk.ledger.begin("orders", blocked.partition, str(blocked.version), "run", desk.clock.now())

        desk.maintain(DAY_LONG)

        assert desk.staged(blocked) == blocked

    def test_what_a_rewind_may_show_again_is_kept(self, tmp_path: Path) -> None:
        desk = Desk(tmp_path, MaintenancePolicy(keep_snapshots=5))
        old = desk.publish(desk.stage([1], [2], rejected=1), 1)
        point = desk.tables.held("orders", old.partition)
        desk.publish(desk.stage([7], fingerprint=B), 2)
        desk.maintain(DAY_LONG)
        desk.maintain(DAY_LONG)
        assert point is not None

        desk.tables.rewind("orders", AtSnapshot(point.snapshot_id), why="bad", rewound_by="me")

        assert desk.ids() == [1, 2]
        assert desk.staged(old) == old
        assert old.quarantine_files[0].key in desk.there("quarantine")

    def test_what_a_known_snapshot_shows_is_kept_although_its_own_commit_is_forgotten(self, tmp_path: Path) -> None:
        desk = Desk(tmp_path, MaintenancePolicy(keep_snapshots=2, keep_days=0))
        old = desk.publish(desk.stage([1], rejected=1), 1)
        desk.publish(desk.stage([3], day=NEXT_DAY), 2)
        point = desk.tables.held("orders", NEXT_DAY)
        desk.publish(desk.stage([7], fingerprint=B), 3)
        assert [desk.maintain(DAY_LONG).snapshots_expired for _ in range(3)] == [1, 0, 0]
        assert point is not None

        desk.tables.rewind("orders", AtSnapshot(point.snapshot_id), old.partition, why="bad", rewound_by="me")

        assert desk.ids() == [1, 3]
        assert desk.staged(old) == old
        assert old.quarantine_files[0].key in desk.there("quarantine")

    def test_raw_is_never_touched(self, desk: Desk) -> None:
        raw = desk.home / "raw/orders/date=2026-11-20/_claim.json"
        raw.parent.mkdir(parents=True)
        raw.write_text("{}")
        os.utime(raw, (0, 0))

        desk.maintain(DAY_LONG)
        desk.maintain(DAY_LONG)

        assert desk.there("raw") == ["raw/orders/date=2026-11-20/_claim.json"]

    def test_metadata_of_a_killed_commit_goes(self, desk: Desk) -> None:
        desk.publish(desk.stage([1]), 1)
        left = next((desk.home / "tables").rglob("*.avro")).with_name("left-m0.avro")
        left.write_bytes(b"left")

        desk.maintain(DAY_LONG)
        desk.maintain(DAY_LONG)

        assert not left.exists()
        assert desk.ids() == [1]

    def test_of_two_maintenances_at_once_one_removes(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.stage([7], fingerprint=B)
        before = fetch_condemned(desk.store, "orders")
        monkeypatch.setattr("pipeline_assets.maintaining.fetch_condemned", lambda *_: before)  # read before the other
        assert replace_condemned(desk.store, "orders", before, {}, desk.home / "scratch")

        assert desk.maintain(DAY_LONG).overtaken

        assert len(desk.there("processed")) == 2


class TestLostFiles:
    def test_a_lost_file_is_asked_for_and_the_partition_built_anew(self, desk: Desk) -> None:
        outcome = desk.publish(desk.stage([1], [2]), 1)
        (desk.home / outcome.files[0].key).unlink()

        def rebuild(days: object) -> None:
            assert days == [outcome.partition]
            desk.publish(desk.stage([1, 2]), 1)

        report = desk.maintenance.perform(desk.contract, rebuild)

        assert report.rebuilt == (outcome.partition,)
        assert report.is_whole
        assert desk.ids() == [1, 2]

    def test_what_cannot_be_built_anew_is_said_and_the_rest_is_done(self, desk: Desk) -> None:
        outcome = desk.publish(desk.stage([1], [2]), 1)
        (desk.home / outcome.files[0].key).unlink()

        report = desk.maintain(DAY_LONG)

        assert desk.rebuilt == [outcome.partition]
        assert report.lost == (outcome.partition,)
        assert not report.is_whole
        assert desk.staged(outcome) == outcome


def test_a_dry_run_says_the_same_and_changes_nothing(desk: Desk) -> None:
    desk.publish(desk.stage([1], [2]), 1)
    desk.stage([7], fingerprint=B)
    before = desk.there(".")
    desk.clock.instant += DAY_LONG

    plan = desk.maintenance.plan(desk.contract)

    assert [len(merge.files) for merge in plan.merges] == [2]
    assert len(plan.sweep.withdrawn) == 1
    assert desk.there(".") == before


def test_workspaces_of_killed_runs_are_removed(desk: Desk) -> None:
    dead, alive = desk.home / "scratch/transform-dead/spill", desk.home / "scratch/transform-alive"
    dead.mkdir(parents=True)
    alive.mkdir()
    (dead / "x").write_text("x")
    for path in (dead / "x", dead, dead.parent, alive):
        os.utime(path, (0, 0))
    (alive / "y").write_text("y")

    assert desk.maintenance.clear_workspaces(timedelta(hours=24)) == 1

    assert [path.name for path in (desk.home / "scratch").iterdir()] == ["transform-alive"]


def test_publishing_goes_on_as_if_nothing_had_happened(desk: Desk) -> None:
    outcome = desk.publish(desk.stage([1], [2]), 1)
    desk.maintain(DAY_LONG)

    assert desk.tables.publish(desk.contract, desk.recorded(), 1).effect is Effect.ALREADY_HELD
    assert desk.tables.publish(desk.contract, outcome, 1).effect is Effect.ALREADY_HELD
