"""Every record that came in is published, quarantined or a superseded duplicate; nothing is lost, nothing invented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.gates.verdict import StagedGate, Verdict

if TYPE_CHECKING:
    from sluice.gates.evidence import StagedEvidence
    from sluice.outcome import ObjectBalance, Outcome


def judge(evidence: StagedEvidence) -> Verdict:
    """Compare counts that were taken independently: by readers, by objects, and in the staged files."""
    outcome = evidence.outcome
    faults = [
        *[_object_fault(item) for item in outcome.objects if not item.closes],
        *_file_faults("published", outcome.published, sum(item.records for item in outcome.files)),
        *_file_faults("quarantined", outcome.quarantined, sum(item.records for item in outcome.quarantine_files)),
    ]
    balance = (
        f"{outcome.records_in:,} in = {outcome.published:,} published + {outcome.quarantined:,} quarantined"
        f" + {outcome.duplicates:,} duplicates"
    )
    return Verdict(not faults, "; ".join(faults) if faults else balance, _numbers(outcome))


RECORDS_ARE_CONSERVED = StagedGate(
    name="records_are_conserved",
    description="records in = published + quarantined + duplicates, for every object and for the staged files.",
    cure="Nothing was published. Keep the staged files of this version and report a bug: a record went missing.",
    acceptable=False,
    judge=judge,
)


def _object_fault(item: ObjectBalance) -> str:
    accounted = item.published + item.quarantined + item.duplicates
    return f"{item.key} has {item.records_in:,} records but {accounted:,} are accounted for"


def _file_faults(word: str, counted: int, in_files: int) -> list[str]:
    return [] if counted == in_files else [f"{counted:,} records count as {word} but the files hold {in_files:,}"]


def _numbers(outcome: Outcome) -> dict[str, int | float]:
    return {
        "records_in": outcome.records_in,
        "published": outcome.published,
        "quarantined": outcome.quarantined,
        "duplicates": outcome.duplicates,
        "objects": len(outcome.objects),
    }
