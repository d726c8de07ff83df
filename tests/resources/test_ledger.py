"""What every ledger does: arrivals, publications, attempts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from resources.ledger import KnownObject, Published
from resources.memory_ledger import MemoryLedger
from sluice.healing.failure import FailureClass
from sluice.manifest import Manifest, RawObject, build_manifest
from sluice.outcome import ObjectBalance, Outcome

if TYPE_CHECKING:
    from resources.ledger import Attempt, Ledger, Noticed

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = "2026-11-20"
VERSION = "a" * 16 + "-c-1"


def _objects(*etags: str, stamp: str = "s") -> tuple[KnownObject, ...]:
    return tuple(KnownObject(f"orders/{number}", 10, stamp, etag) for number, etag in enumerate(etags))


def _manifest(objects: tuple[KnownObject, ...], dataset: str = "orders", partition: str = DAY) -> Manifest:
    return build_manifest(dataset, partition, tuple(RawObject(item.key, item.etag, item.size) for item in objects))


def _notice(
    ledger: Ledger,
    *etags: str,
    dataset: str = "orders",
    partition: str = DAY,
    digest: str = "d",
    stamp: str = "s",
    at: datetime = NOON,
) -> Noticed:
    objects = _objects(*etags, stamp=stamp)
    return ledger.notice(_manifest(objects, dataset, partition), objects, digest, at)


def _published(partition: str = DAY, dataset: str = "orders", snapshot_id: int = 1, records: int = 3) -> Published:
    balance = ObjectBalance(key="k", etag="e", records_in=records, published=records, quarantined=0, duplicates=0)
    outcome = Outcome(
        dataset=dataset,
        partition=partition,
        fingerprint="f" * 16,
        contract_version="1.0.0",
        contract_fingerprint="c" * 12,
        code_version="1",
        run_id="run",
        objects=(balance,),
        files=(),
        quarantine_files=(),
    )
    return Published(outcome, snapshot_id, NOON)


class TestArrivals:
    def test_an_unknown_partition_has_nothing(self, ledger: Ledger) -> None:
        assert ledger.latest("orders", DAY) is None
        assert ledger.known_objects("orders", DAY) == ()
        assert ledger.listing_digests("orders") == {}
        assert ledger.noticed_after(0) == ()

    def test_what_was_noticed_is_the_latest(self, ledger: Ledger) -> None:
        noticed = _notice(ledger, "a", "b")

        assert ledger.latest("orders", DAY) == noticed
        assert noticed.manifest == _manifest(_objects("a", "b"))
        assert noticed.noticed_at == NOON

    def test_known_objects_and_digest_are_those_last_noticed(self, ledger: Ledger) -> None:
        _notice(ledger, "a", "b", "c")
        _notice(ledger, "a", "x", digest="e", stamp="t")

        assert ledger.known_objects("orders", DAY) == _objects("a", "x", stamp="t")
        assert ledger.listing_digests("orders") == {DAY: "e"}

    def test_a_known_fingerprint_keeps_its_sequence_and_time_and_takes_the_new_objects(self, ledger: Ledger) -> None:
        first = _notice(ledger, "a", stamp="s", digest="d")

        again = _notice(ledger, "a", stamp="t", digest="e", at=NOON + timedelta(hours=1))

        assert again == first == ledger.latest("orders", DAY)
        assert ledger.known_objects("orders", DAY) == _objects("a", stamp="t")
        assert ledger.listing_digests("orders") == {DAY: "e"}

    def test_a_manifest_that_returns_gets_a_new_sequence(self, ledger: Ledger) -> None:
        sequences = [_notice(ledger, etag).sequence for etag in ("a", "b", "a")]

        assert sequences == sorted(set(sequences))
        latest = ledger.latest("orders", DAY)
        assert latest is not None
        assert latest.sequence == sequences[2]

    def test_sequences_grow_over_all_datasets(self, ledger: Ledger) -> None:
        orders = _notice(ledger, "a", dataset="orders")
        payments = _notice(ledger, "a", dataset="payments")
        customers = _notice(ledger, "a", dataset="customers", partition="2026-01-01")

        assert orders.sequence < payments.sequence < customers.sequence

    def test_sequences_grow_when_the_clock_goes_back(self, ledger: Ledger) -> None:
        before = _notice(ledger, "a", at=NOON)
        after = _notice(ledger, "b", at=NOON - timedelta(days=400))

        assert after.sequence > before.sequence

    def test_a_ledger_that_begins_anew_numbers_on(self, ledger: Ledger) -> None:
        lost = _notice(MemoryLedger(), "a", at=NOON)

        assert _notice(ledger, "b", at=NOON + timedelta(seconds=1)).sequence > lost.sequence

    def test_noticed_after_returns_the_newest_of_each_partition_in_order(self, ledger: Ledger) -> None:
        first = _notice(ledger, "a", partition="2026-11-19")
        _notice(ledger, "a", partition="2026-11-18")
        second = _notice(ledger, "b", partition="2026-11-17")
        third = _notice(ledger, "b", partition="2026-11-18")

        assert ledger.noticed_after(0) == (first, second, third)
        assert ledger.noticed_after(first.sequence) == (second, third)
        assert ledger.noticed_after(third.sequence) == ()

    def test_a_manifest_of_nothing_is_a_manifest(self, ledger: Ledger) -> None:
        noticed = _notice(ledger)

        assert ledger.latest("orders", DAY) == noticed
        assert ledger.noticed_after(0) == (noticed,)

    def test_datasets_are_kept_apart(self, ledger: Ledger) -> None:
        _notice(ledger, "a", dataset="orders", digest="d")
        _notice(ledger, "b", dataset="payments", digest="e")

        assert ledger.listing_digests("payments") == {DAY: "e"}
        assert ledger.known_objects("payments", DAY) == _objects("b")

    def test_objects_that_are_not_the_manifests_are_refused(self, ledger: Ledger) -> None:
        with pytest.raises(ValueError, match="are not those of the manifest of orders 2026-11-20"):
            ledger.notice(_manifest(_objects("a")), _objects("b"), "d", NOON)


class TestPublications:
    def test_nothing_is_recorded_at_first(self, ledger: Ledger) -> None:
        assert ledger.published("orders", DAY) is None
        assert ledger.all_published() == ()

    def test_a_record_is_read_back_whole(self, ledger: Ledger) -> None:
        ledger.record(_published(snapshot_id=2**62))

        assert ledger.published("orders", DAY) == _published(snapshot_id=2**62)

    def test_a_partition_has_one_record(self, ledger: Ledger) -> None:
        ledger.record(_published(records=1))
        ledger.record(_published(records=2))
        ledger.record(_published(records=2))

        assert ledger.all_published() == (_published(records=2),)

    def test_all_records_come_by_dataset_and_partition(self, ledger: Ledger) -> None:
        records = [
            _published("2026-11-19", "orders"),
            _published("2026-11-20", "orders"),
            _published("2026-11-18", "payments"),
        ]
        for record in reversed(records):
            ledger.record(record)

        assert ledger.all_published() == tuple(records)
        assert ledger.all_published("payments") == (records[2],)

    def test_what_was_built_under_another_contract_is_found(self, ledger: Ledger) -> None:
        record = _published()
        ledger.record(record)
        ledger.record(_published(dataset="payments"))

        present = record.outcome.contract_fingerprint
        assert ledger.published_under_others("orders", present) == ()
        assert ledger.published_under_others("orders", "0123456789ab") == (record,)

    def test_a_partition_keeps_the_time_of_its_first_record(self, ledger: Ledger) -> None:
        ledger.record(_published("2026-11-19"))
        ledger.record(replace(_published("2026-11-19", records=4), published_at=NOON + timedelta(hours=5)))
        ledger.record(replace(_published(DAY), published_at=NOON + timedelta(hours=1)))
        ledger.record(_published(DAY, "payments"))

        assert ledger.first_published("orders") == {"2026-11-19": NOON, DAY: NOON + timedelta(hours=1)}
        assert ledger.first_published("customers") == {}


class TestAttempts:
    def test_attempts_at_a_version_are_numbered(self, ledger: Ledger) -> None:
        first = ledger.begin("orders", DAY, VERSION, "run-1", NOON)
        second = ledger.begin("orders", DAY, VERSION, "run-2", NOON)
        other = ledger.begin("orders", DAY, "other", "run-3", NOON)

        assert (first.number, second.number, other.number) == (1, 2, 1)

    def test_a_run_that_asks_again_gets_its_attempt(self, ledger: Ledger) -> None:
        first = ledger.begin("orders", DAY, VERSION, "run-1", NOON)

        assert ledger.begin("orders", DAY, VERSION, "run-1", NOON + timedelta(minutes=1)) == first

    def test_an_attempt_is_open_until_it_ends(self, ledger: Ledger) -> None:
        attempt = ledger.begin("orders", DAY, VERSION, "run-1", NOON)
        assert ledger.last_attempt("orders", DAY) == attempt
        assert attempt.ended_at is None

        ledger.end(attempt, NOON + timedelta(minutes=1), "it broke")

        ended = ledger.last_attempt("orders", DAY)
        assert ended is not None
        assert (ended.ended_at, ended.error) == (NOON + timedelta(minutes=1), "it broke")

    def test_an_attempt_ends_with_the_class_of_its_failure(self, ledger: Ledger) -> None:
        attempt = ledger.begin("orders", DAY, VERSION, "run-1", NOON)

        ledger.end(attempt, NOON, "it broke", FailureClass.SINK_UNAVAILABLE)

        assert ledger.last_attempt("orders", DAY) == replace(
            attempt, ended_at=NOON, error="it broke", failure_class=FailureClass.SINK_UNAVAILABLE
        )

    def test_an_attempt_that_ends_well_after_all_has_no_class(self, ledger: Ledger) -> None:
        attempt = ledger.begin("orders", DAY, VERSION, "run-1", NOON)
        ledger.end(attempt, NOON, "it broke", FailureClass.QUALITY)

        ledger.end(attempt, NOON, None)

        assert ledger.last_attempt("orders", DAY) == replace(attempt, ended_at=NOON)

    def test_an_error_may_quote_any_character(self, ledger: Ledger) -> None:
        attempt = ledger.begin("orders", DAY, VERSION, "run-1", NOON)

        ledger.end(attempt, NOON, "bad value '\x00'\udcff in line 3 🚰")

        ended = ledger.last_attempt("orders", DAY)
        assert ended is not None
        assert ended.error is not None
        assert ended.error.startswith("bad value '")
        assert ended.error.endswith(" in line 3 🚰")

    def test_an_attempt_that_ends_leaves_the_others_alone(self, ledger: Ledger) -> None:
        first = ledger.begin("orders", DAY, VERSION, "run-1", NOON)
        second = ledger.begin("orders", DAY, VERSION, "run-2", NOON)

        ledger.end(first, NOON, None)

        assert ledger.last_attempt("orders", DAY) == second

    def test_the_last_attempt_is_the_newest_at_any_version(self, ledger: Ledger) -> None:
        ledger.begin("orders", DAY, VERSION, "run-1", NOON + timedelta(days=1))
        newest = ledger.begin("orders", DAY, "other", "run-2", NOON)
        ledger.begin("orders", "2026-11-19", VERSION, "run-3", NOON)

        assert ledger.last_attempt("orders", DAY) == newest
        assert ledger.last_attempt("payments", DAY) is None

    def test_attempts_at_a_version_come_oldest_first(self, ledger: Ledger) -> None:
        first = ledger.begin("orders", DAY, VERSION, "run-2", NOON + timedelta(days=1))
        ledger.begin("orders", DAY, "other", "run-3", NOON)
        ledger.begin("orders", "2026-11-19", VERSION, "run-4", NOON)
        ledger.begin("payments", DAY, VERSION, "run-5", NOON)
        second = ledger.begin("orders", DAY, VERSION, "run-1", NOON)
        ledger.end(first, NOON, "it broke", FailureClass.CODE)

        ended = replace(first, ended_at=NOON, error="it broke", failure_class=FailureClass.CODE)
        assert ledger.attempts("orders", DAY, VERSION) == (ended, second)
        assert ledger.attempts("orders", DAY, "unknown") == ()

    def test_attempts_without_an_end_come_oldest_first(self, ledger: Ledger) -> None:
        first = ledger.begin("orders", DAY, VERSION, "run-1", NOON + timedelta(days=1))
        ended = ledger.begin("orders", DAY, VERSION, "run-2", NOON)
        second = ledger.begin("customers", DAY, VERSION, "run-3", NOON)
        ledger.end(ended, NOON, None)

        assert ledger.open_attempts() == (first, second)


class TestEndedAttempts:
    def test_the_newest_end_comes_first(self, ledger: Ledger) -> None:
        late, early, second = (ledger.begin("orders", DAY, VERSION, f"run-{number}", NOON) for number in range(3))
        ledger.begin("orders", DAY, VERSION, "run-open", NOON)
        ledger.end(late, NOON + timedelta(seconds=9), None)
        ledger.end(early, NOON + timedelta(seconds=1), "it broke", FailureClass.CODE)
        ledger.end(second, NOON + timedelta(seconds=1), None)

        assert [item.run_id for item in ledger.ended_attempts(9)] == ["run-0", "run-2", "run-1"]
        assert [item.run_id for item in ledger.ended_attempts(2)] == ["run-0", "run-2"]

    def test_those_of_one_dataset_can_be_asked_for(self, ledger: Ledger) -> None:
        _failed(ledger, "run-1", dataset="customers")
        mine = _failed(ledger, "run-2")

        assert ledger.ended_attempts(9, dataset="orders") == (mine,)

    def test_of_a_class_come_those_that_failed_with_it_and_those_that_succeeded(self, ledger: Ledger) -> None:
        success, failure, other = (ledger.begin("orders", DAY, VERSION, f"run-{number}", NOON) for number in range(3))
        ledger.end(success, NOON, None)
        ledger.end(failure, NOON, "it broke", FailureClass.SINK_UNAVAILABLE)
        ledger.end(other, NOON, "it broke", FailureClass.CODE)

        found = ledger.ended_attempts(9, failure_class=FailureClass.SINK_UNAVAILABLE)

        assert [item.run_id for item in found] == ["run-1", "run-0"]

    def test_what_the_other_side_asked_to_wait_is_kept(self, ledger: Ledger) -> None:
        attempt = ledger.begin("orders", DAY, VERSION, "run-1", NOON)
        wait = timedelta(seconds=90.5)

        ledger.end(attempt, NOON, "429", FailureClass.UPSTREAM_UNAVAILABLE, wait)

        (kept,) = ledger.failed_attempts()
        assert kept.retry_after == wait


class TestFailedAttempts:
    def test_they_come_by_dataset_and_partition(self, ledger: Ledger) -> None:
        failed = [
            _failed(ledger, "run-1", partition="2026-11-19"),
            _failed(ledger, "run-1", partition=DAY),
            _failed(ledger, "run-1", dataset="customers"),
        ]

        assert ledger.failed_attempts() == (failed[2], failed[0], failed[1])

    def test_of_a_partition_the_newest_attempt_at_any_version_counts(self, ledger: Ledger) -> None:
        _failed(ledger, "run-1", version="other")
        _failed(ledger, "run-2")
        newest = _failed(ledger, "run-3")

        assert ledger.failed_attempts() == (newest,)

    def test_a_partition_that_is_tried_again_is_not_there(self, ledger: Ledger) -> None:
        _failed(ledger, "run-1")
        ledger.begin("orders", DAY, "other", "run-2", NOON)

        assert ledger.failed_attempts() == ()

    def test_a_partition_that_succeeded_since_is_not_there(self, ledger: Ledger) -> None:
        _failed(ledger, "run-1")
        ledger.end(ledger.begin("orders", DAY, VERSION, "run-2", NOON), NOON, None)

        assert ledger.failed_attempts() == ()

    def test_a_version_that_is_published_is_not_there(self, ledger: Ledger) -> None:
        _failed(ledger, "run-1", version=str(_published().outcome.version))
        ledger.record(_published())

        assert ledger.failed_attempts() == ()

    def test_another_version_than_the_published_one_is_there(self, ledger: Ledger) -> None:
        ledger.record(_published())
        ledger.record(_published("2026-11-19"))
        failed = _failed(ledger, "run-1")

        assert ledger.failed_attempts() == (failed,)

    def test_a_version_that_is_published_no_more_is_there_again(self, ledger: Ledger) -> None:
        failed = _failed(ledger, "run-1", version=str(_published().outcome.version))
        ledger.record(_published())
        older = _published().outcome.model_copy(update={"code_version": "0"})

        ledger.record(Published(older, 2, NOON))

        assert ledger.failed_attempts() == (failed,)


def _failed(
    ledger: Ledger, run_id: str, *, dataset: str = "orders", partition: str = DAY, version: str = VERSION
) -> Attempt:
    attempt = ledger.begin(dataset, partition, version, run_id, NOON)
    ledger.end(attempt, NOON, "it broke", FailureClass.TRANSIENT)
    return replace(attempt, ended_at=NOON, error="it broke", failure_class=FailureClass.TRANSIENT)


def test_a_publication_is_amended_if_it_is_still_the_one_that_is_recorded(ledger: Ledger) -> None:
    before = _published(records=3)
    ledger.record(before)
    after = replace(before, outcome=before.outcome.model_copy(update={"bytes_in": 7}))

    assert ledger.amend(before, after)
    assert not ledger.amend(before, before)

    assert ledger.published("orders", DAY) == after


def test_a_newer_publication_is_not_amended(ledger: Ledger) -> None:
    before, newer = _published(records=3), _published(records=4)
    ledger.record(before)
    ledger.record(newer)

    assert not ledger.amend(before, before)

    assert ledger.published("orders", DAY) == newer
