"""The staged files have the columns that the contract declares, in its order and of its types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.gates.verdict import StagedGate, Verdict
from sluice.profile.staged_schema import declared_schema
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sluice.gates.evidence import StagedEvidence

_NAMED = 3
_SAMPLE_ROWS = 10


def judge(evidence: StagedEvidence) -> Verdict:
    """A partition without a file has no columns to compare."""
    declared, staged = dict(declared_schema(evidence.contract)), dict(evidence.profile.schema)
    differing = list(_differing(declared, staged)) if evidence.profile.files else []
    disordered = bool(evidence.profile.files) and not differing and list(declared) != list(staged)
    return Verdict(
        holds=not differing and not disordered,
        explanation=_explanation(evidence, differing, disordered=disordered),
        numbers={"columns": len(staged), "declared_columns": len(declared), "differing_columns": len(differing)},
        threshold="the contract's columns, in order, and partition_date",
        origin="contract",
        sample=tuple(
            {"column": name, "declared": declared.get(name), "staged": staged.get(name)}
            for name in differing[:_SAMPLE_ROWS]
        ),
    )


SCHEMA_MATCHES_CONTRACT = StagedGate(
    name="schema_matches_contract",
    description="The staged files have the contract's columns, in its order and of its types, and partition_date last.",
    cure="Nothing was published. Keep the staged files of this version and report a bug: other columns were written.",
    acceptable=False,
    judge=judge,
)


def _differing(declared: Mapping[str, str], staged: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys([*declared, *staged]):
        if declared.get(name) != staged.get(name):
            yield name


def _explanation(evidence: StagedEvidence, differing: list[str], *, disordered: bool) -> str:
    declared, staged = dict(declared_schema(evidence.contract)), dict(evidence.profile.schema)
    if not evidence.profile.files:
        return "No file was staged."
    if disordered:
        return f"The columns are in another order: {', '.join(staged)}; the contract's is {', '.join(declared)}."
    if not differing:
        return f"All {counted(len(declared), 'column')} are the contract's."
    named = [_difference(name, declared.get(name), staged.get(name)) for name in differing[:_NAMED]]
    more = [f"{len(differing) - _NAMED} more differ"] if differing[_NAMED:] else []
    return f"{'; '.join([*named, *more])}."


def _difference(name: str, declared: str | None, staged: str | None) -> str:
    if staged is None:
        return f"{name} is missing"
    if declared is None:
        return f"{name} is not declared"
    return f"{name} is {staged}, the contract says {declared}"
