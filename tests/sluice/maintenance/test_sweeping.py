"""Which files may go, and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sluice.maintenance.sweeping import Needed, Stored, StoredFile, Sweep, judge_stored

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
GRACE = timedelta(hours=24)
LONG_AGO = NOW - timedelta(days=9)
FOLDER = "processed/orders/date=2026-11-10/v1"
CLAIM, PART, REJECTED = f"{FOLDER}/_outcome.json", f"{FOLDER}/part.parquet", "quarantine/orders/date=2026-11-10/v1/q"
LISTED = json.dumps({"files": [{"key": PART}], "deep": {"er": [REJECTED]}})


def sweep(
    *keys: str,
    claims: dict[str, str] | None = None,
    needed: set[str] | None = None,
    names: set[str] | None = None,
    condemned: dict[str, datetime] | None = None,
    modified_at: datetime = LONG_AGO,
) -> Sweep:
    stored = Stored(tuple(StoredFile(key, 7, modified_at) for key in keys), claims or {})
    wanted = Needed(frozenset(needed or ()), {"2026-11-10": frozenset(names or ())})
    return judge_stored(stored, wanted, condemned or {}, GRACE, NOW)


def keys(files: tuple[StoredFile, ...]) -> list[str]:
    return [file.key for file in files]


def test_a_file_that_nothing_refers_to_is_condemned_first() -> None:
    found = sweep(PART)

    assert found.condemned == {PART: NOW}
    assert found.removed == ()


def test_a_condemned_file_is_removed_when_its_grace_has_passed() -> None:
    assert sweep(PART, condemned={PART: NOW - GRACE / 2}).removed == ()
    assert keys(sweep(PART, condemned={PART: NOW - GRACE}).removed) == [PART]


def test_a_file_that_a_table_needs_is_not_condemned_any_more() -> None:
    assert sweep(PART, needed={PART}, condemned={PART: NOW - GRACE}) == Sweep()


def test_a_young_file_is_left_alone() -> None:
    assert sweep(PART, modified_at=NOW - GRACE / 2) == Sweep()


def test_a_live_claim_keeps_what_it_lists_in_whatever_field() -> None:
    assert sweep(CLAIM, PART, REJECTED, claims={CLAIM: LISTED}, names={"v1"}) == Sweep()


def test_the_claim_of_a_version_that_nobody_shows_is_withdrawn_and_its_files_condemned() -> None:
    found = sweep(CLAIM, PART, REJECTED, claims={CLAIM: LISTED})

    assert keys(found.withdrawn) == [CLAIM]
    assert found.condemned == {PART: NOW, REJECTED: NOW}


def test_a_young_claim_keeps_old_files() -> None:
    stored = Stored((StoredFile(CLAIM, 7, NOW), StoredFile(PART, 7, LONG_AGO)), {CLAIM: LISTED})

    assert judge_stored(stored, Needed(frozenset(), {}), {}, GRACE, NOW) == Sweep()


def test_the_grace_begins_anew_when_a_claim_could_still_be_found() -> None:
    found = sweep(CLAIM, PART, claims={CLAIM: LISTED}, condemned={PART: NOW - 2 * GRACE})

    assert found.condemned == {PART: NOW}
    assert found.removed == ()


def test_a_profile_is_kept_as_long_as_its_claim() -> None:
    profile = f"{FOLDER}/_profile-1.json"

    assert sweep(CLAIM, profile, claims={CLAIM: "{}"}, names={"v1"}) == Sweep()
    assert sweep(CLAIM, profile, claims={CLAIM: "{}"}).condemned == {profile: NOW}


def test_an_unreadable_live_claim_protects_its_whole_partition() -> None:
    elsewhere = PART.replace("-10", "-11")

    found = sweep(CLAIM, PART, elsewhere, claims={CLAIM: "{"}, names={"v1"})

    assert found.unreadable == (CLAIM,)
    assert found.condemned == {elsewhere: NOW}
