"""The queries that consumers really ask stay as cheap as the contract says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sluice.cost.money import usd_text
from sluice.gates.verdict import Cell, StagedGate, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sluice.contract import Contract
    from sluice.cost.scan import QueryScan
    from sluice.gates.evidence import StagedEvidence

_SHOWN = 10
_LONGEST_NAME = 40


def judge(evidence: StagedEvidence) -> Verdict:
    """Compare what every query would scan, as if the partition were published, with its limits."""
    scans = evidence.scans
    if not scans:
        return Verdict(holds=False, explanation="The queries were not priced.", numbers={}, origin="contract")
    faults = [fault for scan in scans for fault in _faults(scan)]
    return Verdict(
        holds=not faults,
        explanation=f"{'; '.join(faults)}." if faults else _summary(scans),
        numbers=_numbers(scans),
        threshold="; ".join(_limits(scan) for scan in scans),
        origin="contract",
        facts={scan.query.name: f"columns: {', '.join(scan.columns) or 'none'}" for scan in scans},
        sample=tuple(_row(scan) for scan in scans if list(_faults(scan)))[:_SHOWN],
    )


def _applies(contract: Contract) -> bool:
    return bool(contract.cost.queries)


SCAN_COST_IS_WITHIN_BUDGET = StagedGate(
    name="scan_cost_is_within_budget",
    description="The contract's reference queries would scan no more than it allows, priced as Athena does.",
    cure="Read fewer columns or dates, sort or narrow the wide columns, or raise the query's limit in the contract.",
    applies=_applies,
    judge=judge,
)


def _faults(scan: QueryScan) -> Iterable[str]:
    query = scan.query
    if query.max_bytes is not None and scan.scanned_bytes > query.max_bytes:
        yield f'"{query.name}" scans {scan.scanned_bytes:,} bytes{_where(scan)}, at most {query.max_bytes:,} may be'
    if query.max_usd is not None and scan.usd > query.max_usd:
        yield f'"{query.name}" costs {usd_text(scan.usd)} USD{_where(scan)}, at most {usd_text(query.max_usd)} may be'


def _where(scan: QueryScan) -> str:
    return f" in {scan.partitions:,} partition{'' if scan.partitions == 1 else 's'}"


def _summary(scans: Sequence[QueryScan]) -> str:
    dearest = max(scans, key=lambda scan: scan.usd)
    count = "The query is" if len(scans) == 1 else f"All {len(scans):,} queries are"
    return (
        f"{count} within limits; the dearest, {dearest.query.name}, scans {dearest.scanned_bytes:,} bytes"
        f"{_where(dearest)} for {usd_text(dearest.usd)} USD."
    )


def _limits(scan: QueryScan) -> str:
    query = scan.query
    bytes_limit = "" if query.max_bytes is None else f"{query.max_bytes:,} bytes"
    usd_limit = "" if query.max_usd is None else f"{usd_text(query.max_usd)} USD"
    return f"{query.name}: {' and '.join(filter(None, (bytes_limit, usd_limit)))}"


def _numbers(scans: Sequence[QueryScan]) -> dict[str, int | float]:
    numbers: dict[str, int | float] = {
        "queries": len(scans),
        "queries_over": sum(1 for scan in scans if list(_faults(scan))),
    }
    for number, scan in enumerate(scans, start=1):
        name = re.sub(r"[^a-z0-9]+", "_", scan.query.name.lower()).strip("_")[:_LONGEST_NAME] or f"query_{number}"
        numbers[f"scanned_bytes_{name}"] = max(scan.scanned_bytes, numbers.get(f"scanned_bytes_{name}", 0))
        numbers[f"usd_{name}"] = max(scan.usd, numbers.get(f"usd_{name}", 0.0))
    return numbers


def _row(scan: QueryScan) -> Mapping[str, Cell]:
    return {
        "query": scan.query.name,
        "columns": ", ".join(scan.columns),
        "partitions": scan.partitions,
        "scanned_bytes": scan.scanned_bytes,
        "usd": scan.usd,
    }
