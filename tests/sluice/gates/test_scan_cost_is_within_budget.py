from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.cost.rules import ReferenceQuery
from sluice.cost.scan import QueryScan
from sluice.gates.evidence import StagedEvidence
from sluice.gates.scan_cost_is_within_budget import SCAN_COST_IS_WITHIN_BUDGET as GATE
from sluice.outcome import Outcome
from sluice.profile import Profile
from tests.sluice.cost.prices import contract_with

if TYPE_CHECKING:
    from sluice.gates.verdict import Verdict

BY_BYTES = ReferenceQuery("Revenue of a day", "SELECT 1", max_bytes=1_000)
BY_USD = ReferenceQuery("all", "SELECT 1", max_usd=0.001)
OUTCOME = Outcome(
    dataset="orders",
    partition="2026-11-03",
    fingerprint="f",
    contract_version="1.0.0",
    contract_fingerprint="c",
    code_version="1",
    run_id="run",
    objects=(),
    files=(),
    quarantine_files=(),
)


def judged(*scans: QueryScan) -> Verdict:
    contract = contract_with(queries=(BY_BYTES, BY_USD))
    return GATE.judge(StagedEvidence(contract, OUTCOME, Profile(), scans=scans))


def scanned(query: ReferenceQuery, scanned_bytes: int, usd: float = 0.0000477) -> QueryScan:
    return QueryScan(query, ("amount",), 1, scanned_bytes, usd)


def test_queries_at_their_limits_hold() -> None:
    verdict = judged(scanned(BY_BYTES, 1_000), scanned(BY_USD, 5, usd=0.001))

    assert verdict.holds
    assert verdict.explanation == (
        "All 2 queries are within limits; the dearest, all, scans 5 bytes in 1 partition for 0.001 USD."
    )
    assert verdict.threshold == "Revenue of a day: 1,000 bytes; all: 0.001 USD"


def test_a_query_that_reads_too_much_does_not_hold() -> None:
    verdict = judged(scanned(BY_BYTES, 1_001), scanned(BY_USD, 5))

    assert not verdict.holds
    assert verdict.explanation == '"Revenue of a day" scans 1,001 bytes in 1 partition, at most 1,000 may be.'


def test_a_query_that_costs_too_much_does_not_hold() -> None:
    verdict = judged(scanned(BY_BYTES, 1), QueryScan(BY_USD, (), 3, 9, 0.002))

    assert verdict.explanation == '"all" costs 0.002 USD in 3 partitions, at most 0.001 may be.'


def test_the_numbers_can_be_plotted_by_query() -> None:
    assert judged(scanned(BY_BYTES, 1_001), scanned(BY_USD, 5)).numbers == {
        "queries": 2,
        "queries_over": 1,
        "scanned_bytes_revenue_of_a_day": 1_001,
        "usd_revenue_of_a_day": 0.0000477,
        "scanned_bytes_all": 5,
        "usd_all": 0.0000477,
    }


def test_only_offenders_are_in_the_sample() -> None:
    verdict = judged(scanned(BY_BYTES, 1_001), scanned(BY_USD, 5))

    assert [row["query"] for row in verdict.sample] == ["Revenue of a day"]


def test_queries_that_were_not_priced_do_not_hold() -> None:
    assert not judged().holds


def test_it_applies_only_with_queries() -> None:
    assert GATE.applies(contract_with(queries=(BY_USD,)))
    assert not GATE.applies(contract_with())
