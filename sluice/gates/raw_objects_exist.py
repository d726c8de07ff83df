"""At least one raw object has landed for the partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.gates.verdict import RawGate, Verdict

if TYPE_CHECKING:
    from sluice.contract import Contract
    from sluice.gates.evidence import RawEvidence


def judge(evidence: RawEvidence) -> Verdict:
    count, size = len(evidence.objects), sum(item.size for item in evidence.objects)
    landed = (
        f"{count:,} object{'' if count == 1 else 's'} with {size:,} bytes landed" if count else "Nothing has landed"
    )
    return Verdict(
        holds=count > 0,
        explanation=f"{landed} for {evidence.partition}.",
        numbers={"objects": count, "size_bytes": size},
        threshold="at least 1 object",
        origin="default",
    )


def _applies(contract: Contract) -> bool:
    return contract.source is not None


RAW_OBJECTS_EXIST = RawGate(
    name="raw_objects_exist",
    description="At least one object has landed for the partition.",
    cure="Land the partition's files; `sluice contracts check` and the contract's path say where they belong.",
    applies=_applies,
    acceptable=False,
    judge=judge,
)
