"""Most raw objects look like what the contract says they are, judged by their sizes and ends alone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from sluice.contract import FileFormat
from sluice.errors import RawObjectUnreadable
from sluice.gate_rules import GateRules
from sluice.gates.verdict import RawGate, Verdict

if TYPE_CHECKING:
    from sluice.contract import Contract
    from sluice.gates.evidence import ObjectHead, RawEvidence
    from sluice.manifest import RawObject

_PARQUET_MAGIC = b"PAR1"
_SMALLEST_PARQUET = 12  # the mark, no data, the footer's length, the mark
_SMALLEST_GZIP, _SMALLEST_ZSTD = 20, 9  # nothing, compressed
_DEFLATE = b"\x08"
_SAMPLE = 10


def judge(evidence: RawEvidence) -> Verdict:
    """A few bad objects do not stop a partition, for the transform quarantines each whole and goes on."""
    limit = evidence.contract.gates.max_unreadable_share
    found = [(item, _problem(item, evidence)) for item in evidence.objects]
    faults = [(item, problem) for item, problem in found if problem]
    share = len(faults) / len(found) if found else 0.0
    return Verdict(
        holds=share <= limit,
        explanation=f"{_percent(share)} of {len(found):,} objects cannot be read, at most {_percent(limit)} may be so.",
        numbers={
            "objects": len(found),
            "unreadable_objects": len(faults),
            "unreadable_share": share,
            "limit": limit,
            "empty_objects": sum(item.size == 0 for item in evidence.objects),
        },
        threshold=f"at most {_percent(limit)} of the objects",
        origin="default" if limit == GateRules().max_unreadable_share else "contract",
        sample=tuple(
            {"object": item.key, "size_bytes": item.size, "problem": problem} for item, problem in faults[:_SAMPLE]
        ),
    )


def _applies(contract: Contract) -> bool:
    return contract.source is not None


RAW_OBJECTS_ARE_READABLE = RawGate(
    name="raw_objects_are_readable",
    description="Sizes, marks and compression headers of the objects fit the contract's format.",
    cure="Have the listed files sent again, whole and in the format of the contract.",
    applies=_applies,
    judge=judge,
)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _problem(item: RawObject, evidence: RawEvidence) -> str | None:
    """Return what is wrong; None also where only reading to the end could tell."""
    head = evidence.heads.get(item.key)
    if head is None:
        return "It could not be opened."
    source = evidence.contract.source
    if source is not None and source.format is FileFormat.PARQUET:
        return _parquet_problem(item, head)
    return _text_problem(item, head)


def _parquet_problem(item: RawObject, head: ObjectHead) -> str | None:
    if not head.first.startswith(_PARQUET_MAGIC):
        return "It is empty." if item.size == 0 else f"It starts with {head.first[:4]!r}, not with the mark of Parquet."
    if not head.last.endswith(_PARQUET_MAGIC) or item.size < _SMALLEST_PARQUET:
        return "It does not end with the mark of Parquet: the end is missing."
    return None


def _text_problem(item: RawObject, head: ObjectHead) -> str | None:
    """JSON Lines and CSV may be compressed or not whatever their name says; the reader's own rule decides."""
    from sluice.reading.compression import COMPRESSED_NAMES, GZIP_MAGIC, ZSTD_MAGICS, decompressed  # heavy
    from sluice.reading.stored import StoredBytes

    if item.size == 0:
        return "It is empty, but its name promises compression." if item.key.endswith(COMPRESSED_NAMES) else None
    if head.first.startswith(GZIP_MAGIC) and (item.size < _SMALLEST_GZIP or head.first[2:3] != _DEFLATE):
        return "It starts as gzip does, but its header is cut off or wrong."
    if head.first.startswith(ZSTD_MAGICS[0]) and item.size < _SMALLEST_ZSTD:
        return "It starts as zstd does, but stops within its header."
    try:
        decompressed(StoredBytes(io.BytesIO(head.first), item))  # looks at the beginning and reads nothing yet
    except RawObjectUnreadable as error:
        return error.detail
    return None
