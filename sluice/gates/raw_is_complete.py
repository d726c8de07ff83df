"""The partition's files are all there, as far as the contract's marker, control file or number of objects tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.completeness import ControlProblem, control_key, keys_by_name, marker_key, read_control
from sluice.gates.verdict import RawGate, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sluice.completeness import Control
    from sluice.contract import Contract
    from sluice.gates.evidence import RawEvidence
    from sluice.gates.verdict import Cell
    from sluice.manifest import RawObject

Row = dict[str, "Cell"]
_SAMPLE = 10


def judge(evidence: RawEvidence) -> Verdict:
    control = read_control(evidence.control) if evidence.control is not None else None
    differences = list(_differences(control, evidence.objects)) if control else []
    faults = [*_absences(evidence), *_count_faults(control, evidence.objects), *_file_faults(differences)]
    count, size = len(evidence.objects), sum(item.size for item in evidence.objects)
    return Verdict(
        holds=not faults,
        explanation=_sentence(faults) if faults else f"All is there: {count:,} objects with {size:,} bytes.",
        numbers={"objects": count, "size_bytes": size, **_sent(control)},
        threshold=_threshold(evidence.contract),
        origin="contract",
        sample=tuple(differences[:_SAMPLE]),
    )


def _applies(contract: Contract) -> bool:
    return contract.source is not None and contract.gates.completeness is not None


RAW_IS_COMPLETE = RawGate(
    name="raw_is_complete",
    description="The marker or control file has come, and the objects are as many and as large as they should be.",
    cure="Wait for what is missing or have it sent: the partition is asked again by itself when it comes."
    " To publish an incomplete day: sluice accept DATASET DATE raw_is_complete --why ...",
    applies=_applies,
    judge=judge,
)


def _absences(evidence: RawEvidence) -> Iterator[str]:
    marker = marker_key(evidence.contract, evidence.partition)
    if marker is not None and not evidence.marker_present:
        yield f"the marker {marker} has not come"
    control = control_key(evidence.contract, evidence.partition)
    if control is not None and evidence.control is None:
        yield f"the control file {control} has not come"
    asked = evidence.contract.gates.completeness
    minimum = asked.minimum_objects if asked else None
    if minimum is not None and len(evidence.objects) < minimum:
        yield f"of at least {minimum:,} objects only {len(evidence.objects):,} landed"


def _count_faults(control: Control | ControlProblem | None, objects: Sequence[RawObject]) -> Iterator[str]:
    if isinstance(control, ControlProblem):
        yield f"the control file cannot be read: {control.problem}"
    elif control is not None:
        landed = (
            ("objects", len(objects), control.objects_sent),
            ("bytes", sum(item.size for item in objects), control.bytes_sent),
        )
        for word, found, sent in landed:
            if sent is not None and found != sent:
                yield f"the control file says {sent:,} {word}, but {found:,} landed"


def _differences(control: Control | ControlProblem, objects: Sequence[RawObject]) -> Iterator[Row]:
    """Compare file by file, if the control file names them."""
    if isinstance(control, ControlProblem) or not control.files:
        return
    sizes = {item.key: item.size for item in objects}
    keys = keys_by_name(control.files, sizes)
    for file in control.files:
        key = keys.get(file.name)
        if key is None:
            yield {"object": file.name, "problem": "is named in the control file, but has not landed"}
        elif file.bytes is not None and file.bytes != sizes[key]:
            yield {"object": key, "problem": f"has {sizes[key]:,} bytes, but was sent with {file.bytes:,}"}
    for key in sorted(sizes.keys() - keys.values()):
        yield {"object": key, "problem": "has landed, but is not named in the control file"}


def _file_faults(differences: Sequence[Row]) -> list[str]:
    if not differences:
        return []
    rest = f", and {len(differences) - 1:,} more differ" if differences[1:] else ""
    return [f"the file {differences[0]['object']} {differences[0]['problem']}{rest}"]


def _sent(control: Control | ControlProblem | None) -> dict[str, int]:
    if control is None or isinstance(control, ControlProblem):
        return {}
    told = {"objects_sent": control.objects_sent, "bytes_sent": control.bytes_sent}
    return {name: count for name, count in told.items() if count is not None}


def _threshold(contract: Contract) -> str:
    asked = contract.gates.completeness
    if asked is None:
        return ""
    minimum = f"objects: at least {asked.minimum_objects:,}" if asked.minimum_objects is not None else None
    parts = [asked.marker, f"what {asked.control} says" if asked.control else None, minimum]
    return ", ".join(part for part in parts if part)


def _sentence(faults: Sequence[str]) -> str:
    text = "; ".join(faults)
    return f"{text[0].upper()}{text[1:]}."
