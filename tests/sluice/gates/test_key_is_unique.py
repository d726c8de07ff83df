from __future__ import annotations

from dataclasses import replace

from sluice.gates.key_is_unique import KEY_IS_UNIQUE, judge
from sluice.profile import Profile
from tests.sluice.gates.staged import ORDERS, SCHEMA, THOUSAND, evidence

UNIQUE = Profile(files=(THOUSAND,), schema=SCHEMA)


def test_as_many_keys_as_records_hold() -> None:
    verdict = judge(evidence(UNIQUE))

    assert verdict.holds
    assert verdict.explanation == "1,000 records, as many keys (id)."
    assert verdict.threshold == "one record for each id"


def test_a_repeated_key_does_not_hold_and_is_shown() -> None:
    sample = ({"id": 7, "records": 3},)

    verdict = judge(evidence(replace(UNIQUE, repeated_keys=2, repeated_key_sample=sample)))

    assert not verdict.holds
    assert verdict.explanation == "2 of 1,000 records repeat a key (id)."
    assert verdict.numbers == {"records": 1000, "repeated_keys": 2}
    assert verdict.sample == sample


def test_keys_that_were_not_counted_do_not_hold() -> None:
    assert not judge(evidence(replace(UNIQUE, schema=SCHEMA[1:]))).holds


def test_a_partition_without_a_file_holds() -> None:
    assert judge(evidence(Profile())).holds


def test_only_a_dataset_with_a_primary_key_has_the_gate() -> None:
    assert KEY_IS_UNIQUE.applies(ORDERS)
    assert not KEY_IS_UNIQUE.applies(replace(ORDERS, primary_key=()))


def test_nobody_can_accept_repeated_keys() -> None:
    assert not KEY_IS_UNIQUE.acceptable
