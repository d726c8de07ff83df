"""No two published records have the same primary key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.gates.verdict import StagedGate, Verdict
from sluice.profile.staged_schema import declared_schema
from sluice.wording import counted

if TYPE_CHECKING:
    from sluice.contract import Contract
    from sluice.gates.evidence import StagedEvidence


def judge(evidence: StagedEvidence) -> Verdict:
    """Counted in the staged files, independently of the transform that dropped duplicates."""
    contract, profile = evidence.contract, evidence.profile
    if profile.files and profile.schema != declared_schema(contract):
        return Verdict(
            holds=False,
            explanation="No key was counted, for the staged files do not have the contract's columns.",
            numbers={"records": profile.records},
            origin="contract",
        )
    return Verdict(
        holds=not profile.repeated_keys,
        explanation=_explanation(contract, profile.records, profile.repeated_keys),
        numbers={"records": profile.records, "repeated_keys": profile.repeated_keys},
        threshold=f"one record for each {', '.join(contract.primary_key)}",
        origin="contract",
        sample=profile.repeated_key_sample,
    )


def _applies(contract: Contract) -> bool:
    return bool(contract.primary_key)


KEY_IS_UNIQUE = StagedGate(
    name="key_is_unique",
    description="No two staged records have the same primary key, counted in the staged files.",
    cure="Nothing was published. Keep the staged files of this version and report a bug: duplicates were not dropped.",
    applies=_applies,
    acceptable=False,
    judge=judge,
)


def _explanation(contract: Contract, records: int, repeated: int) -> str:
    key = ", ".join(contract.primary_key)
    if repeated:
        verb = "repeats" if repeated == 1 else "repeat"
        return f"{repeated:,} of {counted(records, 'record')} {verb} a key ({key})."
    return f"{counted(records, 'record')}, as many keys ({key})."
