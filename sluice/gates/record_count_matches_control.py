"""As many records were read as the sender's control file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.completeness import ControlProblem, keys_by_name, read_control
from sluice.gates.verdict import StagedGate, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sluice.completeness import ControlFile
    from sluice.contract import Contract
    from sluice.gates.evidence import StagedEvidence
    from sluice.gates.verdict import Cell
    from sluice.outcome import ObjectBalance

_SAMPLE = 10


def judge(evidence: StagedEvidence) -> Verdict:
    """Without a control file this only warns: `raw_is_complete` has stopped it before, or a person let it pass."""
    control = None if evidence.control is None else read_control(evidence.control)
    found = evidence.outcome.records_in
    if control is None:
        return _untold("There is no control file to compare with.", found)
    if isinstance(control, ControlProblem):
        return _untold(f"The control file cannot be read: {control.problem}.", found)
    sent = control.records_sent
    differences = tuple(_differences(control.files, evidence.outcome.objects))
    matches = sent is None or sent == found
    return Verdict(
        holds=matches and not differences,
        explanation=_explanation(found, sent, len(differences)),
        numbers={"records_in": found} if sent is None else {"records_in": found, "records_sent": sent},
        threshold="" if sent is None else f"{sent:,} records",
        origin="control file",
        sample=differences[:_SAMPLE],
    )


def _applies(contract: Contract) -> bool:
    completeness = contract.gates.completeness
    return contract.source is not None and completeness is not None and completeness.control is not None


RECORD_COUNT_MATCHES_CONTROL = StagedGate(
    name="record_count_matches_control",
    description="As many records were read as the control file says were sent.",
    cure="Have the partition's files, or a right control file, sent again."
    " To publish what is there: sluice accept DATASET DATE record_count_matches_control --why ...",
    applies=_applies,
    judge=judge,
)


def _untold(explanation: str, found: int) -> Verdict:
    return Verdict(
        holds=False, explanation=explanation, numbers={"records_in": found}, origin="control file", may_block=False
    )


def _explanation(found: int, sent: int | None, differing: int) -> str:
    if sent is not None and sent != found:
        return f"{found:,} records were read, but the control file says that {sent:,} were sent."
    if differing:
        return f"{differing:,} files do not have the number of records that the control file says."
    said = "does not say how many were sent" if sent is None else "says the same"
    return f"{found:,} records were read; the control file {said}."


def _differences(files: Sequence[ControlFile], objects: Sequence[ObjectBalance]) -> Iterator[dict[str, Cell]]:
    found = {item.key: item.records_in for item in objects}
    keys = keys_by_name(files, found)
    for file in files:
        key = keys.get(file.name)
        if key is not None and file.records is not None and file.records != found[key]:
            yield {"object": key, "records_in": found[key], "records_sent": file.records}
