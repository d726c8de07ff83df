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
_PARQUET_MAGIC = b"PAR1"
_HEAD_BYTES = 1 << 20
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b\x1a"))
_FEW_CONTROLS, _MOST_CONTROLS, _LEAST_ZEROS = 8, 0.02, 0.2


@dataclass(frozen=True, slots=True)
class SampleFile:
    """One file to look at: its name without folders, and how to open its bytes (more than once, seekable)."""

    name: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of all samples together is looked at; what one leaves of its share is for those after it."""

    records: int = 200_000
    size_bytes: int = 200_000_000
    columns: int = 1_000

    def share(self, samples: int) -> Limits:
        """Return what each of so many samples may use."""
        return Limits(max(1, self.records // samples), max(1, self.size_bytes // samples), self.columns)

    def less(self, records: int, size_bytes: int) -> Limits:
        return Limits(self.records - records, self.size_bytes - size_bytes, self.columns)


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
    try:
        for piece in _pieces(sample):
            yield piece[:size_bytes]
            size_bytes -= len(piece)
            if size_bytes <= 0:
                return
    except RawObjectUnreadable:
        return  # reading the records tells


def _format(sample: SampleFile) -> FileFormat | None:
    with sample.open() as stream:
        if stream.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC:
            return FileFormat.PARQUET
    head = _head(sample)
    ending = (_ending(sample.name)[1] or "").lower()
    if _is_binary(head):
        raise SampleRefused(
            f"{sample.name} is neither text nor Parquet.", cure="Export it as JSON Lines, CSV or Parquet."
        )
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


def _head(sample: SampleFile) -> bytes:
    head = b""
    try:
        for piece in _pieces(sample):
            head += piece
            if len(head) >= _HEAD_BYTES:
                break
    except RawObjectUnreadable as error:
        if not head:
            raise SampleRefused(f"{sample.name} cannot be read. {error.detail}", cure=error.cure) from error
    return head


def _pieces(sample: SampleFile) -> Iterator[bytes]:
    with sample.open() as stream:
        yield from decompressed(StoredBytes(stream, raw_object(sample)))


def _is_binary(head: bytes) -> bool:
    """Whether control characters are too many for a text, and zeros too few for UTF-16."""
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls > max(_FEW_CONTROLS, _MOST_CONTROLS * len(head)) and head.count(0) < _LEAST_ZEROS * len(head)


def _common_ending(samples: Sequence[SampleFile]) -> str:
    endings = {_ending(sample.name)[0] for sample in samples}
    return endings.pop() if len(endings) == 1 else ""


def _ending(name: str) -> tuple[str, str | None]:
    """Return what is known of the name's end, such as `.jsonl.gz`, and the format in it."""
    match = _ENDING.search(name)
    return (match[0], match[2]) if match else ("", None)
