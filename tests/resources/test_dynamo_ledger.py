"""What only a ledger in DynamoDB does: long things in parts, answers that lack or get lost, kills, the status item."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from resources.arrival_order import manifest_of
from resources.dynamo_ledger import DynamoLedger
from resources.dynamo_ledger.opening import make_table
from resources.failures import classify
from sluice.arrivals import KnownObject
from sluice.cost.budget import Estimate, Limits, Purpose, Request, Spend, SpendState
from sluice.errors import LedgerMissing, LedgerTooNew, LedgerUnavailable
from sluice.gates.verdict import Severity, Verdict
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident
from sluice.history import Published
from sluice.judged import Judged
from sluice.outcome import ObjectBalance, Outcome
from tests.flaky_proxy import Trouble, flaky
from tests.resources.ledgers import dynamo_place, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from resources.dynamo_place import DynamoPlace

pytestmark = pytest.mark.aws

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = "2026-11-20"
ITEM_BYTES = 400 * 1024
REQUEST = Request("orders", DAY, "v", "run-1", "2026-11", Purpose.BUILD, Estimate(1.0, 1, 1, 0.25))


@pytest.fixture
def place(dynamo_tables: Callable[[], str]) -> DynamoPlace:
    return dynamo_place(dynamo_tables())


@pytest.fixture
def ledger(place: DynamoPlace) -> DynamoLedger:
    return DynamoLedger(place)


def objects(count: int) -> tuple[KnownObject, ...]:
    """Return objects whose names cannot be compressed to much less."""
    names = random.Random(count)
    return tuple(KnownObject(f"{number:06d}", number, "s", f"{names.getrandbits(256):x}") for number in range(count))


def notice(ledger: DynamoLedger, *known: KnownObject, minute: int = 0, day: str = DAY) -> int:
    at = NOON + timedelta(minutes=minute)
    return ledger.notice(manifest_of("orders", day, known), known, f"digest-{minute}", at).sequence


def published(day: str = DAY, *, fingerprint: str = "f" * 16, objects: int = 1, **changed: Any) -> Published:
    names = random.Random(day)
    balances = tuple(
        ObjectBalance(
            key=f"{names.getrandbits(256):x}", etag="e", records_in=1, published=1, quarantined=0, duplicates=0
        )
        for _ in range(objects)
    )
    outcome = Outcome(
        dataset="orders",
        partition=day,
        fingerprint=fingerprint,
        contract_version="1.0.0",
        contract_fingerprint="c" * 12,
        code_version="1",
        run_id="run-1",
        objects=balances,
        files=(),
        quarantine_files=(),
    )
    return Published(outcome.model_copy(update=changed), 1, NOON)


def scanned(place: DynamoPlace) -> list[dict[str, Any]]:
    pages = place.s3.client("dynamodb").get_paginator("scan").paginate(TableName=place.table)
    return [item for page in pages for item in page["Items"]]


def status(place: DynamoPlace, day: str = DAY) -> dict[str, Any]:
    """Read the item as another service would."""
    key = {"pk": {"S": f"PARTITION#orders#{day}"}, "sk": {"S": "STATUS"}}
    item = place.s3.client("dynamodb").get_item(TableName=place.table, Key=key)["Item"]
    return {name: next(iter(value.values())) for name, value in item.items()}


class TestOpening:
    def test_a_table_that_is_not_there_is_told_and_not_made(self, place: DynamoPlace) -> None:
        misspelt = replace(place, table="ledgre")

        with pytest.raises(LedgerMissing, match="There is no DynamoDB table ledgre in eu-central-1") as caught:
            DynamoLedger(misspelt)

        assert "sluice doctor --fix" in caught.value.cure
        assert classify(caught.value).failure_class is FailureClass.CODE
        assert "ledgre" not in place.s3.client("dynamodb").list_tables()["TableNames"]

    def test_a_ledger_of_a_newer_sluice_is_refused(self, place: DynamoPlace) -> None:
        newer = {"pk": {"S": "SCHEMA"}, "sk": {"S": "SCHEMA"}, "version": {"N": "99"}, "rev": {"N": "2"}}
        place.s3.client("dynamodb").put_item(TableName=place.table, Item=newer)

        with pytest.raises(LedgerTooNew, match="schema version 99"):
            DynamoLedger(place)

    def test_making_a_table_again_keeps_what_is_in_it(self, ledger: DynamoLedger, place: DynamoPlace) -> None:
        notice(ledger)

        make_table(place.s3.client("dynamodb"), place.table)

        assert DynamoLedger(place).listing_digests("orders") == {DAY: "digest-0"}


class TestSizes:
    def test_a_partition_of_thousands_of_objects_is_read_back_whole(
        self, ledger: DynamoLedger, place: DynamoPlace
    ) -> None:
        many = objects(12_000)
        notice(ledger, *many)

        assert ledger.known_objects("orders", DAY) == many
        assert max(len(item["body"]["B"]) for item in scanned(place) if "B" in item.get("body", {})) < ITEM_BYTES
        assert sum(item["pk"]["S"].startswith("PART#") for item in scanned(place)) > 1

    def test_parts_that_were_replaced_expire_and_those_in_use_do_not(
        self, ledger: DynamoLedger, place: DynamoPlace
    ) -> None:
        ledger.record(published(objects=12_000))
        before = [item for item in scanned(place) if item["pk"]["S"].startswith("PART#")]
        ledger.record(published(objects=13_000))

        after = [item for item in scanned(place) if item["pk"]["S"].startswith("PART#")]
        expiring = {item["pk"]["S"] for item in after if "expires_at" in item}
        assert expiring == {item["pk"]["S"] for item in before}
        assert len({item["pk"]["S"] for item in after} - expiring) == 1
        assert ledger.published("orders", DAY) == published(objects=13_000)

    def test_what_does_not_fit_into_a_page_is_read_whole(self, ledger: DynamoLedger) -> None:
        days = [f"2026-11-{day:02}" for day in range(1, 7)]
        records = tuple(published(day, objects=5_000) for day in days)  # about 250 KB each, and a page has 1 MB
        list(map(ledger.record, records))

        assert ledger.all_published() == records

    def test_a_log_is_read_from_its_last_whole_listing(self, ledger: DynamoLedger, place: DynamoPlace) -> None:
        many = objects(40)
        sequences = [notice(ledger, *many[:count], minute=count) for count in range(1, 41)]

        log = [item for item in scanned(place) if item["pk"]["S"] == f"ARRIVALS#orders#{DAY}"]
        newest = max(log, key=lambda item: item["sk"]["S"])
        assert len(log) == 40
        assert ledger.noticed_after(0) == (ledger.latest("orders", DAY),)
        assert sum(item["sk"]["S"] >= newest["base"]["S"] for item in log) <= 20
        assert [len(ledger.manifest_at("orders", DAY, sequence).objects) for sequence in sequences] == [*range(1, 41)]


class TestTrouble:
    def test_a_change_whose_answer_gets_lost_counts_once(self, place: DynamoPlace) -> None:
        seen: list[str] = []

        def every_third(_: str, path: str) -> Trouble | None:
            seen.append(path)
            return Trouble.LOST_ANSWER if len(seen) % 3 == 0 else None

        with flaky(place.s3.endpoint or "", every_third) as endpoint:
            ledger = DynamoLedger(replace(place, s3=replace(place.s3, endpoint=endpoint)))
            firsts = [ledger.first_notice(f"key-{number}", NOON) for number in range(8)]
            again = [ledger.first_notice(f"key-{number}", NOON) for number in range(8)]

        assert firsts == [True] * 8
        assert again == [False] * 8
        assert len(seen) > 30

    @pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
    def test_a_change_that_others_were_in_the_way_of_is_tried_again(self, ledger: DynamoLedger, reason: str) -> None:
        refusals = [refusal(reason), refusal(reason)]
        on(ledger, "before-call.dynamodb.TransactWriteItems", lambda **_: refusals.pop() if refusals else None)

        assert ledger.reserve(REQUEST, Limits(monthly_usd=0.25), NOON).granted

        assert not refusals
        assert ledger.open_spends() == (Spend(REQUEST, SpendState.RESERVED, NOON),)

    def test_who_was_first_hears_it_although_the_change_was_not_known_to_be_made(
        self, ledger: DynamoLedger, place: DynamoPlace
    ) -> None:
        other, seen = DynamoLedger(place), []

        def do_it_and_say_otherwise(params: dict[str, Any], **_: object) -> Any:
            seen.append(params)
            if len(seen) > 1:
                return None
            other._table.call("transact_write_items", **json.loads(params["body"]))
            return refusal("x", code="TransactionInProgressException")

        on(ledger, "before-call.dynamodb.TransactWriteItems", do_it_and_say_otherwise)

        assert ledger.first_notice("key", NOON)
        assert len(seen) == 1
        assert not other.first_notice("key", NOON)

    def test_a_change_that_can_never_be_made_is_not_tried_again(self, ledger: DynamoLedger) -> None:
        refusals = [refusal("ThrottlingError"), refusal("ItemCollectionSizeLimitExceeded")]
        on(ledger, "before-call.dynamodb.TransactWriteItems", lambda **_: refusals.pop())

        with pytest.raises(Exception, match="TransactionCanceledException"):
            ledger.first_notice("key", NOON)

        assert len(refusals) == 1

    def test_who_is_always_overtaken_gives_up_and_says_so(
        self, ledger: DynamoLedger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("resources.dynamo_ledger.table.PATIENCE_SECONDS", 0.2)
        on(ledger, "before-call.dynamodb.TransactWriteItems", lambda **_: refusal("TransactionConflict"))

        with pytest.raises(LedgerUnavailable, match="others kept writing") as caught:
            ledger.first_notice("key", NOON)

        assert classify(caught.value).failure_class is FailureClass.SINK_UNAVAILABLE

    def test_a_query_that_does_not_yet_show_what_was_written_is_repeated(self, ledger: DynamoLedger) -> None:
        """AWS promises less for queries than for single items; the emulator is never behind."""
        ledger.begin("orders", DAY, "v", "run-1", NOON)
        first = notice(ledger, *objects(1))
        behind = ["arrivals"]

        def lag(parsed: dict[str, Any], **_: object) -> None:
            if behind and parsed["Items"]:
                behind.pop()
                parsed["Items"] = parsed["Items"][:-1]

        on(ledger, "after-call.dynamodb.Query", lag)
        second = notice(ledger, *objects(2), minute=1)
        behind.append("attempts")
        attempt = ledger.begin("orders", DAY, "v", "run-2", NOON)

        assert not behind
        assert [item.sequence for item in ledger.arrivals("orders", DAY)] == [first, second]
        assert attempt.number == 2

    def test_keys_that_an_answer_left_out_are_asked_for_again(self, ledger: DynamoLedger, place: DynamoPlace) -> None:
        days = [f"2026-11-{day:02}" for day in range(1, 13)]
        attempts = [ledger.begin("orders", day, "v", "run", NOON) for day in days]
        left_out = 0

        def leave_out(parsed: dict[str, Any], **_: object) -> None:
            nonlocal left_out
            (*answered, last) = parsed["Responses"][place.table]
            if answered:
                left_out += 1
                parsed["Responses"][place.table] = answered
                keys = [{name: last[name] for name in ("pk", "sk")}]
                parsed["UnprocessedKeys"] = {place.table: {"Keys": keys, "ConsistentRead": True}}

        on(ledger, "after-call.dynamodb.BatchGetItem", leave_out)

        assert ledger.open_attempts() == tuple(attempts)
        assert left_out > 0


def on(ledger: DynamoLedger, event: str, answer: Callable[..., Any]) -> None:
    """Let requests or answers go wrong in ways that the emulator does not know."""
    ledger._table._client.meta.events.register(event, answer)


def refusal(reason: str, code: str = "TransactionCanceledException") -> tuple[Any, dict[str, Any]]:
    from botocore.awsrequest import AWSResponse  # type: ignore[import-untyped]

    reasons = [{"Code": "None"}, {"Code": reason}]
    error = {"Code": code, "Message": reason}
    return AWSResponse("", 400, {}, None), {"Error": error, "CancellationReasons": reasons}


def test_notices_expire_long_after_they_were_given(ledger: DynamoLedger, place: DynamoPlace) -> None:
    ledger.first_notice("orders/2026-11-20/late", NOON - timedelta(days=3_000))

    (mark,) = [item for item in scanned(place) if item["pk"]["S"].startswith("NOTICE#")]
    assert int(mark["expires_at"]["N"]) > time.time() + timedelta(days=399).total_seconds()


class TestStatus:
    def test_what_landed_is_pending(self, ledger: DynamoLedger, place: DynamoPlace) -> None:
        notice(ledger, *objects(2))

        found = status(place)
        assert (found["status"], found["dataset"], found["execution_date"]) == ("pending", "orders", DAY)
        assert (found["objects"], found["noticed_at"]) == ("2", "2026-11-21T12:00:00.000000+00:00")
        latest = ledger.latest("orders", DAY)
        assert latest is not None
        assert found["fingerprint"] == latest.manifest.fingerprint

    def test_a_try_is_running_and_counts_retries(self, ledger: DynamoLedger, place: DynamoPlace) -> None:
        first = ledger.begin("orders", DAY, "v", "run-1", NOON)
        ledger.end(first, NOON, "password=hunter2", FailureClass.SINK_UNAVAILABLE)
        failed = status(place)
        ledger.begin("orders", DAY, "v", "run-2", NOON)
        again = status(place)

        assert (failed["status"], failed["failure_class"], failed["retry_count"]) == ("failed", "sink_unavailable", "0")
        assert (again["status"], again["retry_count"], again["run_id"]) == ("running", "1", "run-2")
        assert "ended_at" not in again
        assert "hunter2" not in str(failed)

    def test_a_gate_that_blocks_is_seen_until_it_opens(self, ledger: DynamoLedger, place: DynamoPlace) -> None:
        version = str(published().outcome.version)
        ledger.record_verdicts([judged(version, holds=False)])
        blocked = status(place)["status"]
        ledger.record_verdicts([judged(version, holds=True)])

        assert (blocked, status(place)["status"]) == ("blocked", "pending")

    def test_a_published_partition_is_stale_once_other_objects_are_there(
        self, ledger: DynamoLedger, place: DynamoPlace
    ) -> None:
        notice(ledger, *objects(1))
        latest = ledger.latest("orders", DAY)
        assert latest is not None
        ledger.record(published(fingerprint=latest.manifest.fingerprint))
        before = status(place)
        notice(ledger, *objects(2), minute=1)

        assert (before["status"], before["rows"], before["published_version"]) == (
            "published",
            "1",
            str(published(fingerprint=latest.manifest.fingerprint).outcome.version),
        )
        assert status(place)["status"] == "stale"

    def test_a_stand_in_is_a_placeholder(self, ledger: DynamoLedger, place: DynamoPlace) -> None:
        assert ledger.record_stand_in(published(stand_in="fallback"))

        assert status(place)["status"] == "placeholder"


def judged(version: str, *, holds: bool) -> Judged:
    verdict = Verdict(holds=holds, explanation="", numbers={})
    return Judged("orders", DAY, version, "gate", "r", Severity.BLOCK, verdict, "run-1", NOON)


def story(url: str) -> None:
    """Do all of what a run does, as one that comes after a killed one does it."""
    ledger = opened(url)
    known = objects(12_000)
    ledger.notice(manifest_of("orders", DAY, known), known, "d", NOON)
    attempt = ledger.begin("orders", DAY, "v", "run-1", NOON)
    ledger.reserve(REQUEST, Limits(monthly_usd=0.25), NOON)
    ledger.record_verdicts([judged(str(published().outcome.version), holds=True)])
    ledger.settle(REQUEST, SpendState.BUILT, seconds=1.0, usd=0.125, settled_at=NOON)
    ledger.record(published())
    ledger.conclude("orders", DAY, "v")
    ledger.open_incident(INCIDENT)
    ledger.end(attempt, NOON, None)


INCIDENT = Incident(0, "orders", DAY, "v", FailureClass.TRANSIENT, NOON, NOON, "it broke", "run-1")

_KILLED = """
import os, signal, sys
from botocore.httpsession import URLLib3Session
from tests.resources.test_dynamo_ledger import story

left, send = int(sys.argv[2]), URLLib3Session.send

def send_or_die(self, request):
    global left
    left -= 1
    answer = send(self, request)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

URLLib3Session.send = send_or_die
story(sys.argv[1])
"""


@pytest.mark.parametrize("requests", [4, 9, 14, 20, 26, 33, 40])
def test_a_run_that_is_killed_anywhere_leaves_what_the_next_one_completes(
    dynamo_tables: Callable[[], str], requests: int
) -> None:
    url = dynamo_tables()
    killed = subprocess.run([sys.executable, "-c", _KILLED, url, str(requests)], env={**os.environ}, check=False)

    story(url)

    ledger = opened(url)
    assert killed.returncode == -signal.SIGKILL
    assert ledger.known_objects("orders", DAY) == objects(12_000)
    assert len(ledger.arrivals("orders", DAY)) == len(ledger.noticed_after(0)) == 1
    assert [(item.number, item.error) for item in ledger.attempts("orders", DAY, "v")] == [(1, None)]
    assert (ledger.open_attempts(), ledger.open_spends()) == ((), ())
    (month,) = ledger.spent_by_month("orders")
    assert month.usd == sum(item.actual_usd or 0 for item in ledger.spends()) == 0.125
    assert [item.state for item in ledger.spends()] == [SpendState.PUBLISHED]
    assert ledger.all_published() == (published(),)
    assert len(ledger.incidents(open_only=True)) == len(ledger.incidents()) == 1
    assert status(dynamo_place(url))["status"] in {"published", "stale"}
