from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sluice.acceptance import Acceptance
from sluice.contract import Column
from sluice.datatypes import Timestamp
from sluice.gate_rules import Expected, GateRules, Metric
from sluice.gates.metrics_are_expected import METRICS_ARE_EXPECTED, judge
from sluice.profile import Profile
from tests.sluice.gates.staged import ORDERS, evidence

if TYPE_CHECKING:
    from sluice.contract import Contract
    from sluice.gates.evidence import History, StagedEvidence

AMOUNT = Metric("mean", "amount")
NOTE = Metric("null_share", "note")
BOTH = (Expected(AMOUNT), Expected(NOTE, maximum=0.3))


def history(*values: float) -> History:
    first = date(2026, 11, 1) - timedelta(days=len(values))
    return tuple((str(first + timedelta(days=position)), value) for position, value in enumerate(values))


USUAL = history(*[20 + position % 4 * 0.5 for position in range(40)])


def contract(*rules: Expected) -> Contract:
    return replace(ORDERS, gates=GateRules(metrics=rules))


def staged(
    metrics: dict[str, float],
    rules: tuple[Expected, ...] = BOTH,
    past: History = USUAL,
    acceptances: tuple[Acceptance, ...] = (),
) -> StagedEvidence:
    made = evidence(Profile(metrics={"row_count": 100, **metrics}), contract(*rules))
    return replace(made, history={"mean(amount)": past}, acceptances=acceptances)


def test_it_applies_where_the_contract_names_metrics() -> None:
    assert METRICS_ARE_EXPECTED.applies(contract(*BOTH))
    assert not METRICS_ARE_EXPECTED.applies(ORDERS)


def test_metrics_where_they_are_expected_hold() -> None:
    verdict = judge(staged({"mean(amount)": 20.5, "null_share(note)": 0.2}))

    assert verdict.holds
    assert verdict.explanation == "All 2 metrics are where they are expected."
    assert verdict.numbers["mean_amount"] == 20.5
    assert verdict.numbers["lower_mean_amount"] < 20.5 < verdict.numbers["upper_mean_amount"]
    assert verdict.numbers["history_mean_amount"] == 40
    assert verdict.numbers["breaks_mean_amount"] == 0
    assert verdict.numbers["upper_null_share_note"] == 0.3
    assert [row["holds"] for row in verdict.sample] == ["yes", "yes"]


def test_only_what_breaks_is_told() -> None:
    verdict = judge(staged({"mean(amount)": 80.0, "null_share(note)": 0.2}))

    assert not verdict.holds
    assert verdict.may_block
    assert verdict.explanation.startswith("mean(amount) is 80; ")
    assert "null_share" not in verdict.explanation
    assert verdict.threshold.startswith("mean(amount): ")
    assert verdict.origin.startswith("mean(amount): learned from the newest 40 partitions before 2026-11-01")
    assert verdict.numbers["breaks_mean_amount"] == 1
    assert [row["metric"] for row in verdict.sample] == ["mean(amount)", "null_share(note)"]


def test_a_share_is_told_in_per_cent() -> None:
    verdict = judge(staged({"mean(amount)": 20.5, "null_share(note)": 0.45}))

    assert verdict.explanation == "null_share(note) is 45 %; at most 30 % were expected."
    assert verdict.sample[0] == {
        "metric": "null_share(note)",
        "value": 0.45,
        "lower": None,
        "upper": 0.3,
        "holds": "no",
    }


def test_a_metric_that_lost_its_value_does_not_hold() -> None:
    verdict = judge(staged({"null_share(note)": 0.2}))

    assert not verdict.holds
    assert verdict.may_block
    assert verdict.explanation == "mean(amount) has no value, though 40 partitions before it have one."
    assert "mean_amount" not in verdict.numbers


def test_a_metric_that_never_had_a_value_holds() -> None:
    assert judge(staged({"null_share(note)": 0.2}, past=())).holds


def test_without_rows_it_is_for_the_row_count_to_judge() -> None:
    verdict = judge(staged({"row_count": 0}, rules=(Expected(AMOUNT),)))

    assert verdict.holds
    assert (
        verdict.explanation == "mean(amount) has no value, though 40 partitions before it have one: there are no rows."
    )


def test_a_young_metric_only_warns() -> None:
    verdict = judge(staged({"mean(amount)": 80.0, "null_share(note)": 0.2}, past=USUAL[-9:]))

    assert not verdict.holds
    assert not verdict.may_block


def test_a_fixed_limit_blocks_although_another_metric_is_young() -> None:
    assert judge(staged({"mean(amount)": 80.0, "null_share(note)": 0.9}, past=USUAL[-9:])).may_block


def test_an_accepted_value_is_a_level_of_the_metric_that_broke() -> None:
    numbers = {"mean_amount": 80.0, "breaks_mean_amount": 1}
    acceptance = Acceptance(1, "orders", "2026-10-31", "metrics_are_expected", "f", numbers)

    assert judge(staged({"mean(amount)": 80.0, "null_share(note)": 0.2}, acceptances=(acceptance,))).holds


def test_an_acceptance_of_another_metric_changes_nothing() -> None:
    numbers = {"mean_amount": 80.0, "breaks_mean_amount": 0, "null_share_note": 0.9, "breaks_null_share_note": 1}
    acceptance = Acceptance(1, "orders", "2026-10-31", "metrics_are_expected", "f", numbers)

    assert not judge(staged({"mean(amount)": 80.0, "null_share(note)": 0.2}, acceptances=(acceptance,))).holds


def test_names_that_look_alike_keep_their_numbers_apart() -> None:
    rules = (Expected(Metric("sum", "a b"), minimum=0), Expected(Metric("sum", "a_b"), minimum=0))

    numbers = judge(staged({"sum(a b)": 1, "sum(a_b)": 2}, rules)).numbers

    assert (numbers["sum_a_b"], numbers["sum_a_b_2"]) == (1, 2)


def test_instants_are_told_as_instants() -> None:
    rule = Expected(Metric("maximum", "created_at"), minimum=1_793_491_200)
    columns = (*ORDERS.columns, Column("created_at", Timestamp()))
    made = evidence(
        Profile(metrics={"row_count": 1, "maximum(created_at)": 0.0}), replace(contract(rule), columns=columns)
    )

    assert judge(made).explanation == (
        "maximum(created_at) is 1970-01-01T00:00:00Z; at least 2026-11-01T00:00:00Z were expected."
    )
