from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.contract import Column
from sluice.datatypes import Integer, Text
from sluice.gate_rules import GateRules
from sluice.gates.nulls_are_within_limits import NULLS_ARE_WITHIN_LIMITS, judge
from sluice.profile import Profile
from tests.sluice.gates.staged import ORDERS, SCHEMA, THOUSAND, evidence

LIMITED = replace(ORDERS, gates=GateRules(max_null_shares=(("note", 0.9),)))


def profile(**nulls: int) -> Profile:
    return Profile(files=(THOUSAND,), schema=SCHEMA, nulls={"id": 0, "amount": 1000, "note": 0, **nulls})


def test_limits_that_are_kept_hold() -> None:
    verdict = judge(evidence(profile(note=900), LIMITED))

    assert verdict.holds
    assert verdict.explanation == "2 columns of 1,000 records kept to their limits."
    assert verdict.numbers == {"nulls_in_required": 0, "null_share_note": 0.9}
    assert verdict.threshold == "none in required columns, at most 90.0 % in note"


@pytest.mark.parametrize(
    ("nulls", "explanation"),
    [
        pytest.param({"id": 1}, "id is required but null in 1 of 1,000 records.", id="required"),
        pytest.param(
            {"note": 901}, "note is null in 901 of 1,000 records (90.1 %), at most 90.0 % may be.", id="share"
        ),
    ],
)
def test_too_many_nulls_do_not_hold(nulls: dict[str, int], explanation: str) -> None:
    verdict = judge(evidence(profile(**nulls), LIMITED))

    assert not verdict.holds
    assert verdict.explanation == explanation


def test_beyond_three_columns_the_others_are_counted() -> None:
    many = replace(ORDERS, columns=tuple(Column(f"c{number}", Text(), required=True) for number in range(5)))

    verdict = judge(evidence(profile(c0=1, c1=1, c2=1, c3=1, c4=1), many))

    assert verdict.explanation.endswith("; 2 more columns are beyond their limits.")
    assert verdict.sample[4] == {"column": "c4", "nulls": 1, "share": 0.001, "limit": 0.0}


def test_a_column_whose_nulls_are_unknown_does_not_hold() -> None:
    verdict = judge(evidence(Profile(files=(THOUSAND,), schema=SCHEMA[1:], nulls={"note": 0}), LIMITED))

    assert not verdict.holds
    assert verdict.explanation.startswith("id was not counted")


def test_a_partition_without_records_holds() -> None:
    assert judge(evidence(Profile(), LIMITED)).holds


def test_only_a_dataset_with_required_or_limited_columns_has_the_gate() -> None:
    free = replace(ORDERS, columns=(Column("id", Integer()),))

    assert NULLS_ARE_WITHIN_LIMITS.applies(ORDERS)
    assert NULLS_ARE_WITHIN_LIMITS.applies(replace(free, gates=GateRules(max_null_shares=(("id", 0.0),))))
    assert not NULLS_ARE_WITHIN_LIMITS.applies(free)
