from __future__ import annotations

from pathlib import Path

import pytest

from sluice.events.message import Reading, RunAsked, Zone
from sluice.events.reading import read_message

CASES = Path(__file__).parents[2] / "cases" / "events"
ZONE = Zone("acme-lake", "prod/")
A = "raw/orders/date=2026-11-03/a.jsonl"


def read(name: str) -> Reading:
    return read_message((CASES / f"{name}.json").read_text(), ZONE)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("put", (A,)),
        ("multipart", (A,)),
        ("copy", (A,)),
        ("old_version", (A,)),
        ("restored", (A,)),
        ("through_sns", (A,)),
        ("bridged", (A,)),
        ("encoded_key", ("raw/orders/date=2026-11-03/café + 100%.jsonl",)),
        ("bridged_key_is_not_encoded", ("raw/orders/date=2026-11-03/100%25 + a.jsonl",)),
        ("several", (A, "raw/orders/date=2026-11-04/b.jsonl")),
    ],
)
def test_what_was_written_is_named_by_its_key_in_the_store(name: str, keys: tuple[str, ...]) -> None:
    assert read(name) == Reading(keys=keys)


@pytest.mark.parametrize(
    "name",
    [
        *("test_event", "removed", "delete_marker", "expired", "tagged", "bridged_deleted", "bridged_tagged"),
        *("written_by_sluice", "elsewhere_in_the_bucket", "folder_of_a_console"),
    ],
)
def test_what_is_understood_may_be_no_news(name: str) -> None:
    assert read(name) == Reading()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("other_bucket", "is about the bucket 'someone-elses', but objects are in acme-lake"),
        ("bridged_other_bucket", "is about the bucket 'someone-elses', but objects are in acme-lake"),
        ("unknown_event", "has an event 'ObjectTeleported:Put' that Sluice does not know"),
        ("bridged_unknown", "has the detail-type 'Object Teleported' that Sluice does not know"),
        ("bridged_other_source", "has the detail-type 'sluice.rum'; a run is asked for with sluice.run"),
        ("key_is_no_utf8", "has a key that is no UTF-8: 'prod/raw/orders/date%3D2026-11-03/caf%E9.jsonl'"),
        ("half_a_pair", "has no text in key"),
        ("other_service", "has a record of 'aws:dynamodb', not of aws:s3"),
        ("record_without_s3", "has no object in s3"),
        ("run_without_partition", "has no text in partition"),
        ("other_words_through_sns", "is no JSON: 'lunch is ready'"),
    ],
)
def test_what_is_not_understood_is_a_problem_with_its_reason(name: str, says: str) -> None:
    assert read(name) == Reading(problems=(says,))


def test_one_record_that_is_not_understood_hides_no_other() -> None:
    found = read("one_of_several_is_bad")

    assert found.keys == (A,)
    assert found.problems == ("is about the bucket 'someone-elses', but objects are in acme-lake",)


def test_a_run_is_asked_for_by_the_id_of_its_event() -> None:
    assert read("run") == Reading(runs=(RunAsked("53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "orders", "2026-11-03"),))


def test_without_a_prefix_the_zone_begins_at_the_root() -> None:
    body = (CASES / "put.json").read_text().replace("prod/raw/", "raw/")

    assert read_message(body, Zone("acme-lake")) == Reading(keys=(A,))


@pytest.mark.parametrize(
    "body",
    [
        *("", "null", "[]", "3", '"text"', "{", "{}", "\x00", "[" * 100_000, "1" * 10_000, "NaN"),
        *('{"Records": null}', '{"Records": [null]}', '{"detail-type": 7}', '{"Event": []}', '{"Records": [[]]}'),
        *('{"Type": "Notification", "TopicArn": "t", "Message": null}', '{"detail-type": "sluice.run", "detail": []}'),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_nothing_that_can_be_in_a_message_is_an_error(body: str) -> None:
    assert read_message(body, ZONE).problems
