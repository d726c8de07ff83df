from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from sluice.acceptance import Acceptance
from sluice.gate_rules import Expected, GateRules, Metric
from sluice.gates.row_count_is_expected import ROW_COUNT_IS_EXPECTED, judge
from sluice.gates.verdict import Severity
from sluice.profile import Profile
from tests.sluice.gates.staged import ORDERS, evidence

if TYPE_CHECKING:
    from sluice.gates.evidence import History, StagedEvidence


def history(*values: float) -> History:
    first = date(2026, 11, 1) - timedelta(days=len(values))
    return tuple((str(first + timedelta(days=position)), value) for position, value in enumerate(values))


USUAL = history(*[1000.0 + position % 5 * 20 for position in range(61)])


def rows(
    count: float, past: History = USUAL, *, rule: Expected | None = None, acceptances: tuple[Acceptance, ...] = ()
) -> StagedEvidence:
    contract = replace(ORDERS, gates=GateRules(row_count=rule)) if rule else ORDERS
    staged = evidence(Profile(metrics={"row_count": count}), contract)
    return replace(staged, history={"row_count": past}, acceptances=acceptances)


def accepted(partition: str, value: float, **changes: str) -> Acceptance:
    acceptance = Acceptance(1, "orders", partition, "row_count_is_expected", "f", {"value": value, "expected": 1000})
    return replace(acceptance, **changes)  # type: ignore[arg-type]


def test_it_blocks_every_dataset_by_default() -> None:
    assert ROW_COUNT_IS_EXPECTED.severity is Severity.BLOCK
    assert ROW_COUNT_IS_EXPECTED.applies(ORDERS)
    assert ROW_COUNT_IS_EXPECTED.acceptable


def test_a_usual_number_of_rows_holds() -> None:
    verdict = judge(rows(1040))

    assert verdict.holds
    assert verdict.explanation == f"1,040 rows; {verdict.threshold} were expected."
    assert verdict.numbers.keys() == {"value", "expected", "lower", "upper", "history"}
    assert verdict.numbers["value"] == 1040
    assert verdict.numbers["expected"] == pytest.approx(1040, abs=5)
    assert verdict.numbers["history"] == 61
    assert verdict.origin.startswith("learned from the newest 56 partitions before 2026-11-01 (usual 1,040, robust")


@pytest.mark.parametrize("count", [0, 12, 500, 1700])
def test_an_unusual_number_of_rows_does_not_hold(count: float) -> None:
    verdict = judge(rows(count))

    assert not verdict.holds
    assert verdict.may_block
    assert verdict.explanation == f"{count:,.0f} rows; {verdict.threshold} were expected."


def test_a_new_dataset_is_not_judged_yet() -> None:
    verdict = judge(rows(1, history(1000.0)))

    assert verdict.holds
    assert verdict.explanation == (
        "1 row; nothing is expected yet: 1 published partition before it; limits are learned from 8 on."
    )
    assert verdict.numbers == {"value": 1, "history": 1}


def test_a_young_dataset_is_only_warned() -> None:
    verdict = judge(rows(1, USUAL[-10:]))

    assert not verdict.holds
    assert not verdict.may_block
    assert verdict.origin.endswith("; it may block from 14 on")


def test_entries_that_are_no_numbers_are_no_history() -> None:
    spoilt = (*USUAL[:-10], *((day, math.nan) for day, _ in USUAL[-10:]))

    assert judge(rows(1040, spoilt)).numbers["history"] == 51
    assert judge(rows(1040, spoilt)).holds


def test_a_later_partition_is_no_history() -> None:
    later = tuple((str(date(2026, 11, 1) + timedelta(days=day)), 5.0) for day in range(40))

    assert judge(rows(1040, (*USUAL, *later))).numbers["history"] == 61


def test_an_accepted_level_is_right_beside_the_old_one() -> None:
    acceptances = (accepted("2026-10-31", 2000),)

    assert judge(rows(2000, acceptances=acceptances)).holds
    assert judge(rows(1040, acceptances=acceptances)).holds
    assert not judge(rows(1500, acceptances=acceptances)).holds
    assert " or " in judge(rows(1500, acceptances=acceptances)).threshold


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(accepted("2026-10-31", 2000, gate="key_is_unique"), id="of another gate"),
        pytest.param(accepted("2026-10-31", 2000, dataset="clicks"), id="of another dataset"),
        pytest.param(accepted("2026-11-01", 2000), id="of this partition, which the caller looks at"),
        pytest.param(accepted("2026-11-02", 2000), id="of a later partition"),
        pytest.param(replace(accepted("2026-10-31", 2000), numbers={"share": 0.5}), id="without a value"),
    ],
)
def test_other_acceptances_change_nothing(other: Acceptance) -> None:
    assert judge(rows(2000, acceptances=(other,))) == judge(rows(2000))


def test_fixed_limits_block_from_the_first_partition() -> None:
    rule = Expected(Metric("row_count"), minimum=100)

    verdict = judge(rows(99, (), rule=rule))

    assert not verdict.holds
    assert verdict.may_block
    assert verdict.explanation == "99 rows; at least 100 were expected."
    assert verdict.origin == "contract"
    assert verdict.numbers == {"value": 99, "lower": 100, "history": 0}
    assert judge(rows(100, (), rule=rule)).holds


def test_a_share_around_the_usual() -> None:
    rule = Expected(Metric("row_count"), within=0.2)
    steady = history(*[1000.0] * 20)

    assert judge(rows(1200, steady, rule=rule)).holds
    assert judge(rows(1201, steady, rule=rule)).explanation == "1,201 rows; 800 to 1,200 were expected."


def test_a_shift_seen_on_several_days_says_so() -> None:
    wild = [1000.0 * (1.3 if position % 3 else 0.8) for position in range(60)]
    risen = history(*wild, 1700, 1700, 1700, 1700)

    verdict = judge(rows(1700, risen))

    assert not verdict.holds
    assert verdict.explanation.endswith("were expected, for the 4 partitions before it are off to the same side.")
