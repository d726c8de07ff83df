"""The mark that some programs put before a text: skipped when it says UTF-8, a reason to stop when it says other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.errors import RawObjectUnreadable
from sluice.reading.encodings import UTF8, encoding_of_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_UTF8_MARK = b"\xef\xbb\xbf"
_MARKS = (
    (_UTF8_MARK, UTF8),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def without_mark(chunks: Iterable[bytes], encoding: str, key: str) -> Iterator[bytes]:
    """Pass chunks on without the mark of UTF-8; raises RawObjectUnreadable when the mark denies the encoding."""
    is_first = True
    for chunk in chunks:
        if is_first:
            _refuse_other_marks(chunk, encoding_of_records(encoding), key)
        yield chunk.removeprefix(_UTF8_MARK) if is_first else chunk
        is_first = False


def _refuse_other_marks(head: bytes, encoding: str, key: str) -> None:
    for mark, name in _MARKS:
        if head.startswith(mark) and name != encoding:
            raise RawObjectUnreadable(
                key=key,
                code="not_utf8" if encoding == UTF8 else "encoding_mismatch",
                detail=f"It starts with the byte order mark of {name}, but {encoding} is expected.",
                cure=f"Write it as {encoding}; for CSV, the contract may name the encoding {name} instead.",
            )
