"""Required columns have no nulls, others at most the share that the contract allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.gates.verdict import StagedGate, Verdict
from sluice.gates.wording import percent
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluice.contract import Contract
    from sluice.gates.evidence import StagedEvidence
    from sluice.profile import Profile

_NAMED = 3
_SAMPLE_ROWS = 10


@dataclass(frozen=True, slots=True)
class _Limited:
    """A column; `nulls` is None when the staged files do not have it, `limit` when it is required."""

    column: str
    nulls: int | None
    records: int
    limit: float | None

    @property
    def share(self) -> float:
        return (self.nulls or 0) / self.records if self.records else 0.0

    @property
    def holds(self) -> bool:
        if self.nulls is None:
            return not self.records
        return self.nulls == 0 if self.limit is None else self.share <= self.limit


def judge(evidence: StagedEvidence) -> Verdict:
    """Required columns are proved here independently of the transform that rejected records without them."""
    limited = list(_limited(evidence.contract, evidence.profile))
    broken = [item for item in limited if not item.holds]
    return Verdict(
        holds=not broken,
        explanation=_explanation(limited, broken, evidence.profile.records),
        numbers=_numbers(limited),
        threshold=_threshold(limited),
        origin="contract",
        sample=tuple(
            {"column": item.column, "nulls": item.nulls, "share": item.share, "limit": item.limit or 0.0}
            for item in broken[:_SAMPLE_ROWS]
        ),
    )


def _applies(contract: Contract) -> bool:
    return bool(contract.gates.max_null_shares) or any(column.required for column in contract.columns)


NULLS_ARE_WITHIN_LIMITS = StagedGate(
    name="nulls_are_within_limits",
    description="Required columns have no nulls; others have at most the share of nulls that the contract allows.",
    cure="Correct the data at its source and land it again, or raise the column's limit in the contract.",
    applies=_applies,
    judge=judge,
)


def _limited(contract: Contract, profile: Profile) -> Iterator[_Limited]:
    for column in contract.columns:
        if column.required:
            yield _Limited(column.name, profile.nulls.get(column.name), profile.records, None)
    for name, limit in contract.gates.max_null_shares:
        yield _Limited(name, profile.nulls.get(name), profile.records, limit)


def _explanation(limited: list[_Limited], broken: list[_Limited], records: int) -> str:
    if not records:
        return "No records were staged."
    if not broken:
        return f"{counted(len(limited), 'column')} of {counted(records, 'record')} kept to their limits."
    more = [f"{len(broken) - _NAMED} more columns are beyond their limits"] if broken[_NAMED:] else []
    return f"{'; '.join([*map(_fault, broken[:_NAMED]), *more])}."


def _fault(item: _Limited) -> str:
    if item.nulls is None:
        return f"{item.column} was not counted, for the staged files do not have it as the contract says"
    nulls = f"{item.nulls:,} of {counted(item.records, 'record')}"
    if item.limit is None:
        return f"{item.column} is required but null in {nulls}"
    return f"{item.column} is null in {nulls} ({percent(item.share)}), at most {percent(item.limit)} may be"


def _numbers(limited: list[_Limited]) -> dict[str, int | float]:
    required = sum(item.nulls or 0 for item in limited if item.limit is None)
    shares = {f"null_share_{item.column}": item.share for item in limited if item.limit is not None}
    return {"nulls_in_required": required, **shares}


def _threshold(limited: list[_Limited]) -> str:
    required = ["none in required columns"] if any(item.limit is None for item in limited) else []
    shares = [f"at most {percent(item.limit)} in {item.column}" for item in limited if item.limit is not None]
    return ", ".join([*required, *shares])
