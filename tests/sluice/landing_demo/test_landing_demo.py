"""The demo's landing zone: equal seeds give equal bytes, and the counts announced are the counts there."""

from __future__ import annotations

import csv
import io
import json
import zlib

import pytest

from sluice.landing_demo import DATASETS, DAYS, DemoObject, expected, landing_objects, late_objects, repaired_objects

CUT_OFF = "payments/date=2026-11-05/payments-2.csv.gz"
LATE = "orders/date=2026-11-03/orders-4.jsonl.gz"


def text_of(item: DemoObject) -> str:
    is_gzip = item.key.endswith(".gz")
    return (zlib.decompressobj(31).decompress(item.body) if is_gzip else item.body).decode()


def records_of(item: DemoObject) -> int:
    text = text_of(item)
    return text.count("\n") if item.dataset == "orders" else sum(1 for _ in csv.reader(io.StringIO(text))) - 1


def test_equal_seeds_give_equal_bytes(landed: dict[str, DemoObject]) -> None:
    assert {item.key: item for item in landing_objects()} == landed


def test_another_seed_gives_other_bytes_of_the_same_count(landed: dict[str, DemoObject]) -> None:
    other = next(iter(landing_objects(seed=8)))

    assert other.body != landed[other.key].body
    assert records_of(other) == records_of(landed[other.key])


def test_keys_follow_both_layouts(landed: dict[str, DemoObject]) -> None:
    assert {"customers/2026/11/01/customers.csv", "orders/date=2026-11-07/orders-6.jsonl.gz", CUT_OFF} <= landed.keys()


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("dataset", DATASETS)
def test_records_are_as_many_as_announced(in_the_end: dict[str, DemoObject], dataset: str, day: object) -> None:
    items = [item for item in in_the_end.values() if (item.dataset, item.partition) == (dataset, str(day))]

    assert sum(map(records_of, items)) == expected(dataset, str(day), late=True, repaired=True).records_in


def test_about_300_000_records_land() -> None:
    total = sum(
        expected(dataset, str(day), late=True, repaired=True).records_in for dataset in DATASETS for day in DAYS
    )

    assert 295_000 < total < 305_000


def test_late_object_is_missing_at_first_and_completes_its_partition(landed: dict[str, DemoObject]) -> None:
    (late,) = late_objects()
    first, whole = expected("orders", "2026-11-03"), expected("orders", "2026-11-03", late=True)

    assert late.key == LATE
    assert LATE not in landed
    assert whole.records_in - first.records_in == records_of(late)


def test_cut_off_object_counts_as_one_record_until_it_is_repaired(landed: dict[str, DemoObject]) -> None:
    (repaired,) = repaired_objects()
    first, whole = expected("payments", "2026-11-05"), expected("payments", "2026-11-05", repaired=True)

    assert repaired.key == CUT_OFF
    assert repaired.body.startswith(landed[CUT_OFF].body)
    assert len(repaired.body) > len(landed[CUT_OFF].body)
    assert whole.records_in - first.records_in == records_of(repaired) - 1


def test_orders_sent_again_are_later_states_of_known_keys(landed: dict[str, DemoObject]) -> None:
    first = json.loads(text_of(landed["orders/date=2026-11-01/orders-1.jsonl.gz"]).splitlines()[107])
    last_file = text_of(landed["orders/date=2026-11-01/orders-6.jsonl.gz"]).splitlines()
    again = json.loads(last_file[-expected("orders", "2026-11-01").duplicates])

    assert again["order_id"] == first["order_id"]
    assert again["updated_at"] > first["updated_at"]
    assert again["status"] == "delivered"


def test_a_dataset_that_is_not_in_the_demo_has_no_count() -> None:
    with pytest.raises(KeyError):
        expected("refunds", "2026-11-01")
