"""The reference data that the contract names is published, and recent enough for the partition."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sluice.gates.verdict import StagedGate, Verdict

if TYPE_CHECKING:
    from sluice.contract import Contract
    from sluice.gate_rules import Reference
    from sluice.gates.evidence import ReferenceSeen, StagedEvidence


def judge(evidence: StagedEvidence) -> Verdict:
    judged = date.fromisoformat(evidence.outcome.partition)
    seen = {item.dataset: item for item in evidence.references}
    asked = evidence.contract.gates.references
    ages = {item.dataset: _age_days(seen.get(item.dataset), judged) for item in asked}
    stale = [item for item in asked if _is_stale(ages[item.dataset], item)]
    return Verdict(
        holds=not stale,
        explanation=" ".join(_told(item, ages[item.dataset], seen.get(item.dataset)) for item in stale or asked),
        numbers={
            "references": len(asked),
            "stale_references": len(stale),
            **{f"age_days_{dataset}": age for dataset, age in ages.items() if age is not None},
        },
        threshold=", ".join(f"{item.dataset} at most {_days(item.max_age_days)} older" for item in asked),
        origin="contract",
        facts={item.dataset: _version(seen.get(item.dataset)) for item in asked},
    )


def _applies(contract: Contract) -> bool:
    return bool(contract.gates.references)


REFERENCE_DATA_IS_CURRENT = StagedGate(
    name="reference_data_is_current",
    description="Each dataset that the contract names as reference has a published partition that is recent enough.",
    cure="Publish the reference data of that date: this partition is then asked again by itself."
    " To publish without: sluice accept DATASET DATE reference_data_is_current --why ...",
    applies=_applies,
    judge=judge,
)


def _age_days(seen: ReferenceSeen | None, judged: date) -> int | None:
    return None if seen is None or seen.partition is None else (judged - seen.partition).days


def _is_stale(age: int | None, asked: Reference) -> bool:
    return age is None or age > asked.max_age_days


def _told(asked: Reference, age: int | None, seen: ReferenceSeen | None) -> str:
    if age is None or seen is None:
        return f"{asked.dataset} has no published partition up to this date."
    return f"{asked.dataset} is of {seen.partition}, {_days(age)} older; at most {_days(asked.max_age_days)} may be."


def _days(count: int) -> str:
    return f"{count:,} day{'' if count == 1 else 's'}"


def _version(seen: ReferenceSeen | None) -> str:
    return "not published" if seen is None or seen.partition is None else f"{seen.partition} {seen.version}"
