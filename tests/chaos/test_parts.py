"""What the chaos test is made of: a schedule that repeats, faults that happen once, an oracle that can count."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError  # type: ignore[import-untyped]

from resources.failures import classify
from resources.object_store import MemoryObjectStore
from sluice.healing.failure import FailureClass
from sluice.manifest import RawObject, build_manifest
from tests.chaos.conftest import SEEDS
from tests.chaos.faults import FAULTS, Fault, FaultBox, fail
from tests.chaos.faulty_ports import FaultyStore
from tests.chaos.inputs import DATASETS, Writer
from tests.chaos.oracle import expected_of, fingerprint_of, paid_of
from tests.chaos.schedule import COUNTS, Kind, build_schedule

if TYPE_CHECKING:
    from pathlib import Path

ORDERS = {
    "orders/date=2024-03-01/a.jsonl": b'{"order_id": 1, "serial": 1, "shop": "north", "amount": 2.5}\n'
    b'{"order_id": 2, "serial": 2, "shop": "north", "amount": 1}\n{"order_id": 3, "serial": 3',
    "orders/date=2024-03-01/b.jsonl": b'{"order_id": 1, "serial": 4, "shop": "south", "amount": 7}\n'
    b'{"order_id": 4, "serial": 5, "shop": null, "amount": 7}\n',
}


def test_a_seed_repeats_its_schedule_of_over_200_steps(seed: int) -> None:
    schedule = build_schedule(seed)

    assert schedule == build_schedule(seed)
    assert len(schedule) >= 200
    assert {step.kind for step in schedule} == set(Kind)
    assert schedule != build_schedule(seed + 1)


def test_every_fault_of_every_operation_is_laid_out_within_the_seeds() -> None:
    laid_out = {(step.fault[0], step.fault[2]) for seed in SEEDS for step in build_schedule(seed) if step.fault}

    assert laid_out == {(operation, fault) for operation, faults in FAULTS.items() for fault in faults}
    assert COUNTS[Kind.FAULT] < 45  # with the kills, below the bound of retry runs in ten minutes


def test_a_fault_happens_once(tmp_path: Path) -> None:
    box = FaultBox(tmp_path)
    box.arm(1, "open", "raw", Fault.ERROR, in_run=False)

    assert [box.take("put", "raw/a"), box.take("open", "processed/a")] == [None, None]
    assert [box.take("open", "raw/a"), box.take("open", "raw/a")] == [Fault.ERROR, None]
    assert box.names("fired") == ["0001~open~raw~error~any"]


def test_a_fault_for_runs_spares_everybody_else(tmp_path: Path) -> None:
    box = FaultBox(tmp_path)
    box.arm(1, "open", "raw", Fault.ERROR)

    assert box.take("open", "raw/a") is None


@pytest.mark.parametrize(
    ("fault", "operation", "expected"),
    [
        pytest.param(Fault.ERROR, "open", FailureClass.TRANSIENT, id="500"),
        pytest.param(Fault.THROTTLED, "list", FailureClass.UPSTREAM_UNAVAILABLE, id="503 of what is read"),
        pytest.param(Fault.THROTTLED, "put", FailureClass.SINK_UNAVAILABLE, id="503 of what is written"),
        pytest.param(Fault.TIMEOUT, "etag", FailureClass.TRANSIENT, id="time-out"),
        pytest.param(Fault.FULL, "put", FailureClass.RESOURCE, id="disk full"),
    ],
)
def test_faults_are_what_sluice_takes_them_for(fault: Fault, operation: str, expected: FailureClass) -> None:
    with pytest.raises((ClientError, ReadTimeoutError, OSError)) as raised:
        fail(fault, operation)

    assert classify(raised.value).failure_class is expected


def test_a_lost_answer_comes_after_the_write(tmp_path: Path) -> None:
    box, store = FaultBox(tmp_path / "faults"), MemoryObjectStore()
    box.arm(1, "put", "raw", Fault.LOST_ANSWER, in_run=False)
    (tmp_path / "file").write_bytes(b"abc")

    with pytest.raises(ReadTimeoutError):
        FaultyStore(store, box).put("raw/a", tmp_path / "file")

    assert store.open("raw/a").read() == b"abc"


def test_a_truncated_read_ends_like_any_other(tmp_path: Path) -> None:
    box, store = FaultBox(tmp_path / "faults"), MemoryObjectStore()
    (tmp_path / "file").write_bytes(b"abcd")
    store.put("raw/a", tmp_path / "file")
    box.arm(1, "open", "raw", Fault.TRUNCATED, in_run=False)

    assert [FaultyStore(store, box).open("raw/a").read() for _ in range(2)] == [b"ab", b"abcd"]


def test_the_oracle_counts_as_a_person_would() -> None:
    expected = expected_of("orders", ORDERS)

    assert expected.rows == Counter({(1, 4, "south", Decimal("7.00")): 1, (2, 2, "north", Decimal("1.00")): 1})
    assert (expected.records_in, expected.quarantined) == (5, 2)
    paid = paid_of(expected.rows, Counter({(1, 9, Decimal("0.50")): 1}))
    assert paid == Counter({("south", 1, Decimal(7), Decimal("0.50")): 1, ("north", 1, Decimal(1), Decimal(0)): 1})


def test_the_oracle_names_states_as_sluice_does() -> None:
    objects = [(f"raw/{key}", _etag(content)) for key, content in ORDERS.items()]
    manifest = build_manifest("orders", "2024-03-01", tuple(RawObject(key, etag, 1) for key, etag in objects))

    assert fingerprint_of(ORDERS) == manifest.fingerprint


@pytest.mark.parametrize("dataset", DATASETS)
def test_files_have_good_records_and_wrong_ones(dataset: str) -> None:
    writer = Writer(Random(1))
    files = {str(number): writer.content(dataset) for number in range(20)}

    expected = expected_of(dataset, files)

    assert 0 < expected.quarantined < expected.records_in == writer.serial


def _etag(content: bytes) -> str:
    import hashlib

    return hashlib.blake2b(content, digest_size=16).hexdigest()
