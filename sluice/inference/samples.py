"""The files that a contract is inferred from: what they are called, how they are opened, what format they are in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.contract import CsvDialect, FileFormat, Source
from sluice.errors import RawObjectUnreadable, SampleRefused
from sluice.inference.csv_dialect import sniff_dialect
from sluice.manifest import RawObject
from sluice.reading.compression import decompressed
from sluice.reading.stored import StoredBytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

_ENDING = re.compile(r"(\.(jsonl|ndjson|json|csv|tsv|txt|parquet|pq))?(\.(gz|gzip|zst|zstd))?$", re.IGNORECASE)
_JSON_ENDINGS = frozenset({"jsonl", "ndjson", "json"})
_CSV_ENDINGS = frozenset({"csv", "tsv"})
_HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SampleFile:
    """One file to look at: its name without folders, and how to open its bytes (more than once, seekable)."""

    name: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of all samples together is looked at; both are shared out evenly among them."""

    records: int = 200_000
    size_bytes: int = 200_000_000

    def share(self, samples: int) -> Limits:
        return Limits(max(1, self.records // samples), max(1, self.size_bytes // samples))


def recognise(dataset: str, samples: Sequence[SampleFile], limits: Limits) -> Source:
    """Return where such files would land and how they are written; raises SampleRefused."""
    formats = {sample.name: _format(sample) for sample in samples}
    found = {file_format for file_format in formats.values() if file_format is not None}
    if not found:
        raise SampleRefused("There is no sample file that is not empty.", cure="Name a file with records.")
    if len(found) > 1:
        listed = ", ".join(f"{name} is {file_format}" for name, file_format in formats.items() if file_format)
        raise SampleRefused(f"The samples are of different formats: {listed}.", cure="Make one dataset of each format.")
    (file_format,) = found
    dialect = CsvDialect()
    if file_format is FileFormat.CSV:
        dialect = sniff_dialect([_content(sample, limits.share(len(samples)).size_bytes) for sample in samples])
    return Source(f"{dataset}/date={{date}}/*{_common_ending(samples)}", file_format, dialect)


def raw_object(sample: SampleFile) -> RawObject:
    """Return the sample as readers want it; its ETag is none that could be checked."""
    return RawObject(sample.name, "sample", 0)


def _content(sample: SampleFile, size_bytes: int) -> Iterator[bytes]:
    """Yield up to `size_bytes` of content; a file that is cut off yields what there is."""
    with sample.open() as stream:
        try:
            for piece in decompressed(StoredBytes(stream, raw_object(sample))):
                yield piece[:size_bytes]
                size_bytes -= len(piece)
                if size_bytes <= 0:
                    return
        except RawObjectUnreadable:
            return  # reading the records tells


def _format(sample: SampleFile) -> FileFormat | None:
    head = b"".join(_content(sample, _HEAD_BYTES))
    ending = (_ending(sample.name)[1] or "").lower()
    if head.startswith(b"PAR1"):
        return FileFormat.PARQUET
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not start:
        return None
    if ending in _CSV_ENDINGS:
        return FileFormat.CSV
    if start == b"[" and ending in _JSON_ENDINGS:
        raise SampleRefused(
            f"{sample.name} is one JSON array; a dataset's files hold one JSON object per line.",
            cure=f"Convert it: jq -c '.[]' {sample.name}",
        )
    return FileFormat.JSONL if start == b"{" or ending in _JSON_ENDINGS else FileFormat.CSV


def _common_ending(samples: Sequence[SampleFile]) -> str:
    endings = {_ending(sample.name)[0] for sample in samples}
    return endings.pop() if len(endings) == 1 else ""


def _ending(name: str) -> tuple[str, str | None]:
    """Return what is known of the name's end, such as `.jsonl.gz`, and the format in it."""
    match = _ENDING.search(name)
    return (match[0], match[2]) if match else ("", None)
