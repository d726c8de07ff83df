"""A gate in Dagster: a partitioned asset check, and what the check shows of a verdict."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import dagster as dg

from sluice.gates.verdict import Severity
from sluice.judging import acceptance_of, severity_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sluice.acceptance import Acceptance
    from sluice.contract import Contract
    from sluice.gates.verdict import Gate, Verdict
    from sluice.judged import Judged


def gate_spec(
    gate: Gate, asset: dg.AssetKey, contract: Contract, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetCheckSpec:
    return partitioned_check(
        gate.name,
        asset,
        gate.description,
        partitions,
        blocking=severity_of(gate, contract) is Severity.BLOCK,
    )


def partitioned_check(
    name: str, asset: dg.AssetKey, description: str, partitions: dg.DailyPartitionsDefinition, *, blocking: bool
) -> dg.AssetCheckSpec:
    """With unpartitioned checks a later pass would release partitions whose own check failed.

    Partitioned ones are a preview in Dagster 1.13; tests hold what is relied on, so the warning would only be noise.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name, asset=asset, description=description, blocking=blocking, partitions_def=partitions
        )


def check_result(
    asset: dg.AssetKey, gate: Gate, judged: Judged, acceptances: Sequence[Acceptance]
) -> dg.AssetCheckResult:
    """Return the check's result; a verdict that somebody accepted stays failed, as a warning that stops nothing."""
    accepted = acceptance_of(judged, acceptances)
    return shown(asset, gate, judged.verdict, stops=judged.blocks and accepted is None, accepted=accepted)


def shown(
    asset: dg.AssetKey, gate: Gate, verdict: Verdict, *, stops: bool = True, accepted: Acceptance | None = None
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=gate.name,
        passed=verdict.holds,
        severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
        description=_description(verdict, gate, accepted),
        metadata=verdict_metadata(verdict),
    )


def verdict_metadata(verdict: Verdict) -> Mapping[str, Any]:  # Any: metadata values are of many types
    shown: dict[str, Any] = dict(verdict.numbers)
    if verdict.threshold:
        shown["threshold"] = verdict.threshold
    if verdict.origin:
        shown["threshold from"] = verdict.origin
    shown |= verdict.facts
    if verdict.sample:
        shown["sample"] = _table(verdict.sample)
    return shown


def _description(verdict: Verdict, gate: Gate, accepted: Acceptance | None) -> str:
    if verdict.holds:
        return verdict.explanation
    if accepted:
        return f"{verdict.explanation} Accepted by {accepted.accepted_by}: {accepted.why}"
    return f"{verdict.explanation} {gate.cure}"


def _table(rows: Sequence[Mapping[str, str | int | float | None]]) -> dg.TableMetadataValue:
    names = list(dict.fromkeys(name for row in rows for name in row))
    schema = dg.TableSchema([dg.TableColumn(name, "string") for name in names])
    cells = [{name: None if row.get(name) is None else str(row[name]) for name in names} for row in rows]
    return dg.MetadataValue.table([dg.TableRecord(row) for row in cells], schema=schema)
