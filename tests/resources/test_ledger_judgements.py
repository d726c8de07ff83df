"""What every ledger does: verdicts, acceptances, metrics."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from resources.ledger import Published
from sluice.gates.verdict import Severity, Verdict
from sluice.judged import Judged
from sluice.outcome import Outcome

if TYPE_CHECKING:
    from resources.ledger import Ledger

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = "2026-11-20"
FIRST = f"{'a' * 16}-{'c' * 12}-1"
SECOND = f"{'b' * 16}-{'c' * 12}-1"

WHOLE = Verdict(
    holds=False,
    explanation="12.0 % of 1,000 records were rejected, at most 5.0 % may be. 🚰",
    numbers={"rejected_share": 0.12, "records_in": 1000, "large": 2**62, "tiny": 1e-300},
    threshold="at most 5.0 %",
    origin="contract",
    may_block=True,
    facts={"reason": "NUL \x00 and surrogate \udcff"},
    sample=({"order_id": "1", "amount": 1.5, "line": 3, "note": None}, {"order_id": "2"}),
)


def _judged(
    gate: str = "key_is_unique",
    *,
    holds: bool = False,
    partition: str = DAY,
    dataset: str = "orders",
    version: str = FIRST,
    severity: Severity = Severity.BLOCK,
    may_block: bool = True,
) -> Judged:
    verdict = Verdict(holds=holds, explanation="It is so.", numbers={"repeated": 3}, may_block=may_block)
    return Judged(dataset, partition, version, gate, "r" * 12, severity, verdict, "run-1", NOON)


def _accept(ledger: Ledger, judged: Judged, why: str = "checked", at: datetime = NOON) -> int:
    return ledger.accept(judged, why=why, accepted_by="ann", accepted_at=at).number


def _publish(ledger: Ledger, version: str, partition: str = DAY) -> None:
    fingerprint, contract, code = version.split("-")
    outcome = Outcome(
        dataset="orders",
        partition=partition,
        fingerprint=fingerprint,
        contract_version="1.0.0",
        contract_fingerprint=contract,
        code_version=code,
        run_id="run",
        objects=(),
        files=(),
        quarantine_files=(),
    )
    ledger.record(Published(outcome, 1, NOON))


class TestVerdicts:
    def test_a_partition_that_was_not_judged_has_none(self, ledger: Ledger) -> None:
        assert ledger.verdicts("orders", DAY) == ()
        assert ledger.blocking_verdicts() == ()

    def test_a_verdict_is_read_back_whole(self, ledger: Ledger) -> None:
        judged = replace(_judged(), verdict=WHOLE, severity=Severity.WARN)
        ledger.record_verdicts([judged])

        assert ledger.verdicts("orders", DAY) == (judged,)
        assert isinstance(ledger.verdicts("orders", DAY)[0].verdict.numbers["records_in"], int)

    def test_verdicts_come_by_gate(self, ledger: Ledger) -> None:
        gates = ["a_gate", "key_is_unique", "nulls_are_few"]
        ledger.record_verdicts([_judged(gate) for gate in reversed(gates)])

        assert [item.gate for item in ledger.verdicts("orders", DAY)] == gates

    def test_gates_of_the_same_version_are_replaced_and_the_others_stay(self, ledger: Ledger) -> None:
        ledger.record_verdicts([_judged("a"), _judged("b")])
        ledger.record_verdicts([_judged("b", holds=True), _judged("c")])

        assert ledger.verdicts("orders", DAY) == (_judged("a"), _judged("b", holds=True), _judged("c"))

    def test_verdicts_on_other_versions_are_dropped(self, ledger: Ledger) -> None:
        ledger.record_verdicts([_judged("a"), _judged("b")])
        ledger.record_verdicts([_judged("b", version=SECOND)])

        assert ledger.verdicts("orders", DAY) == (_judged("b", version=SECOND),)

    def test_neighbours_keep_theirs(self, ledger: Ledger) -> None:
        ledger.record_verdicts([_judged("a", partition="2026-11-19")])
        ledger.record_verdicts([_judged("a", dataset="payments")])
        ledger.record_verdicts([_judged("b", version=SECOND)])

        assert ledger.verdicts("orders", "2026-11-19") == (_judged("a", partition="2026-11-19"),)
        assert ledger.verdicts("payments", DAY) == (_judged("a", dataset="payments"),)

    def test_recording_nothing_changes_nothing(self, ledger: Ledger) -> None:
        ledger.record_verdicts([_judged("a")])
        ledger.record_verdicts([])

        assert ledger.verdicts("orders", DAY) == (_judged("a"),)

    def test_verdicts_on_two_versions_are_refused(self, ledger: Ledger) -> None:
        with pytest.raises(ValueError, match="several versions"):
            ledger.record_verdicts([_judged("a"), _judged("b", version=SECOND)])

    @pytest.mark.parametrize("number", [float("nan"), float("inf")], ids=str)
    def test_a_number_that_is_not_finite_is_refused(self, ledger: Ledger, number: float) -> None:
        verdict = Verdict(holds=True, explanation="", numbers={"share": number})

        with pytest.raises(ValueError, match="Out of range float values"):
            ledger.record_verdicts([_judged("a"), replace(_judged("b"), verdict=verdict)])
        assert ledger.verdicts("orders", DAY) == ()

    def test_verdicts_that_block_come_by_dataset_partition_and_gate(self, ledger: Ledger) -> None:
        blocking = [
            _judged("a", partition="2026-11-19"),
            _judged("a"),
            _judged("b"),
            _judged("a", dataset="payments", partition="2026-11-18"),
        ]
        ledger.record_verdicts([blocking[3]])
        ledger.record_verdicts([blocking[2], blocking[1]])
        ledger.record_verdicts([blocking[0]])

        assert ledger.blocking_verdicts() == tuple(blocking)

    @pytest.mark.parametrize(
        "judged",
        [
            pytest.param(_judged(holds=True), id="it holds"),
            pytest.param(_judged(severity=Severity.WARN), id="it only warns"),
            pytest.param(_judged(may_block=False), id="too little is known"),
        ],
    )
    def test_other_verdicts_do_not_block(self, ledger: Ledger, judged: Judged) -> None:
        ledger.record_verdicts([judged])

        assert ledger.blocking_verdicts() == ()

    def test_what_was_judged_by_given_rules_is_named_with_its_version(self, ledger: Ledger) -> None:
        ledger.record_verdicts([_judged("key_is_unique"), _judged("records_are_conserved")])
        ledger.record_verdicts([_judged(partition="2026-11-21", version=SECOND)])
        ledger.record_verdicts([replace(_judged(partition="2026-11-22"), rules="other")])
        ledger.record_verdicts([_judged(dataset="payments")])

        assert ledger.judged_by("orders", "r" * 12) == {(DAY, FIRST), ("2026-11-21", SECOND)}
        assert ledger.judged_by("orders", "none") == frozenset()

    def test_a_version_that_was_published_is_not_blocked(self, ledger: Ledger) -> None:
        ledger.record_verdicts([_judged()])
        ledger.record_verdicts([_judged(partition="2026-11-19", version=SECOND)])

        _publish(ledger, FIRST)
        _publish(ledger, FIRST, "2026-11-19")

        assert ledger.blocking_verdicts() == (_judged(partition="2026-11-19", version=SECOND),)


class TestAcceptances:
    def test_nothing_is_accepted_at_first(self, ledger: Ledger) -> None:
        assert ledger.acceptances() == ()

    def test_an_acceptance_is_read_back_whole(self, ledger: Ledger) -> None:
        accepted = ledger.accept(_judged(), why="a real shift", accepted_by="ann", accepted_at=NOON)

        assert ledger.acceptances() == (accepted,)
        assert (accepted.dataset, accepted.partition, accepted.gate) == ("orders", DAY, "key_is_unique")
        assert (accepted.fingerprint, accepted.numbers) == ("a" * 16, {"repeated": 3})
        assert (accepted.why, accepted.accepted_by, accepted.accepted_at) == ("a real shift", "ann", NOON)

    def test_acceptances_come_in_the_order_they_were_given(self, ledger: Ledger) -> None:
        first = _accept(ledger, _judged("b"), at=NOON)
        second = _accept(ledger, _judged("a", dataset="payments"), at=NOON - timedelta(days=1))
        third = _accept(ledger, _judged("a"), at=NOON - timedelta(days=2))

        assert (
            [item.number for item in ledger.acceptances()] == [first, second, third] == sorted({first, second, third})
        )
        assert [item.number for item in ledger.acceptances("orders")] == [first, third]

    def test_accepting_the_same_data_again_returns_the_first_acceptance(self, ledger: Ledger) -> None:
        other_contract = replace(_judged(), version=f"{'a' * 16}-{'d' * 12}-2")

        assert _accept(ledger, _judged(), why="one") == _accept(ledger, other_contract, why="two")
        assert [item.why for item in ledger.acceptances()] == ["one"]

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(_judged(version=SECOND), id="other data"),
            pytest.param(_judged(partition="2026-11-19"), id="other partition"),
            pytest.param(_judged("other_gate"), id="other gate"),
        ],
    )
    def test_anything_else_is_another_acceptance(self, ledger: Ledger, other: Judged) -> None:
        assert _accept(ledger, _judged()) != _accept(ledger, other)


class TestMeasurements:
    def test_an_unknown_dataset_has_no_history(self, ledger: Ledger) -> None:
        assert ledger.history("orders", DAY, 10) == {}

    def test_history_has_each_metric_by_date(self, ledger: Ledger) -> None:
        ledger.record_metrics("orders", "2026-11-18", {"row_count": 3, "mean(amount)": 1.25})
        ledger.record_metrics("orders", "2026-11-17", {"row_count": 2})

        assert ledger.history("orders", DAY, 10) == {
            "row_count": (("2026-11-17", 2.0), ("2026-11-18", 3.0)),
            "mean(amount)": (("2026-11-18", 1.25),),
        }

    def test_history_ends_before_the_partition(self, ledger: Ledger) -> None:
        ledger.record_metrics("orders", "2026-11-19", {"row_count": 1})
        ledger.record_metrics("orders", DAY, {"row_count": 2})
        ledger.record_metrics("orders", "2026-11-21", {"row_count": 3})

        assert ledger.history("orders", DAY, 10) == {"row_count": (("2026-11-19", 1.0),)}

    def test_history_has_the_newest_partitions_whatever_they_measured(self, ledger: Ledger) -> None:
        ledger.record_metrics("orders", "2026-11-16", {"row_count": 1})
        ledger.record_metrics("orders", "2026-11-17", {"row_count": 2})
        ledger.record_metrics("orders", "2026-11-18", {"seconds": 3})

        assert ledger.history("orders", DAY, 2) == {
            "row_count": (("2026-11-17", 2.0),),
            "seconds": (("2026-11-18", 3),),
        }
        assert ledger.history("orders", DAY, 0) == {}

    def test_metrics_of_a_partition_are_replaced_whole(self, ledger: Ledger) -> None:
        ledger.record_metrics("orders", "2026-11-18", {"row_count": 1, "seconds": 2})
        ledger.record_metrics("orders", "2026-11-18", {"row_count": 5})
        assert ledger.history("orders", DAY, 10) == {"row_count": (("2026-11-18", 5.0),)}

        ledger.record_metrics("orders", "2026-11-18", {})
        assert ledger.history("orders", DAY, 10) == {}

    def test_datasets_are_kept_apart(self, ledger: Ledger) -> None:
        ledger.record_metrics("payments", "2026-11-18", {"row_count": 1})

        assert ledger.history("orders", DAY, 10) == {}

    @pytest.mark.parametrize("number", [float("nan"), float("-inf")], ids=str)
    def test_a_metric_that_is_not_finite_is_refused(self, ledger: Ledger, number: float) -> None:
        with pytest.raises(ValueError, match=r"The metric mean\(amount\) is"):
            ledger.record_metrics("orders", DAY, {"row_count": 1, "mean(amount)": number})
        assert ledger.history("orders", "2026-11-30", 10) == {}
