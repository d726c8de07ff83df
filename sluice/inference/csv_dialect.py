"""How CSV samples are written: encoding, delimiter, quote, header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from sluice.contract import CsvDialect

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DELIMITERS = (",", ";", "\t", "|")
_HEAD_BYTES = 1 << 18
_HEAD_RECORDS = 1_000
_MOSTLY = 0.8
_TYPED = re.compile(
    r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|true|false|\d{4}-\d\d-\d\d.*|\d\d?[/.]\d\d?[/.]\d{4}.*", re.IGNORECASE
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def sniff_dialect(contents: Sequence[Iterable[bytes]]) -> CsvDialect:
    """Return the dialect that fits the samples, each given as pieces of content."""
    heads, unusual = [], []
    for content in contents:
        head = b""
        for piece in content:
            head += piece[: _HEAD_BYTES - len(head)]
            if not piece.isascii() or b"\x00" in piece:
                unusual.append(piece)
        heads.append(head)
    encoding = _encoding(heads, b"".join(unusual))
    texts = [_whole_lines(head.decode(encoding, errors="replace").removeprefix("\ufeff")) for head in heads]
    text = max(texts, key=len)
    delimiter = max(_DELIMITERS, key=lambda candidate: _fit(text, candidate))
    quote = _quote(text, delimiter)
    header = _has_header(_rows(text, delimiter, quote))
    return CsvDialect(delimiter, quote, header, encoding)


def _encoding(heads: Sequence[bytes], unusual: bytes) -> str:
    if any(head.startswith(_UTF16_MARKS) for head in heads):
        return "utf-16"
    if b"\x00" in unusual:
        return "utf-16-le" if unusual[1::2].count(0) >= unusual[::2].count(0) else "utf-16-be"
    text = unusual.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    # A file with a few broken characters among many sound ones is UTF-8; the lines that hold them are quarantined.
    if broken == 0 or sum(not letter.isascii() for letter in text) > 2 * broken:
        return "utf-8"
    try:
        unusual.decode("cp1252")
    except UnicodeDecodeError:
        return "iso8859-1"
    return "cp1252"


def _whole_lines(text: str) -> str:
    """Drop a last line that may be cut off, unless it is the only one."""
    if len(text) < _HEAD_BYTES // 4:
        return text
    return text[: text.rfind("\n") + 1] or text


def _fit(text: str, delimiter: str) -> tuple[float, int]:
    """How well a delimiter explains the text: how many rows are of one width above 1, and that width."""
    rows = _rows(text, delimiter, '"')
    if not rows:
        return 0, 0
    ((width, times),) = Counter(map(len, rows)).most_common(1)
    return (times / len(rows), width) if width > 1 else (0, 0)


def _rows(text: str, delimiter: str, quote: str | None) -> list[list[str]]:
    lines = io.StringIO(text, newline="")
    if quote is None:
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    try:
        return [row for row in islice(reader, _HEAD_RECORDS) if row]
    except csv.Error:  # a quote that never closes: this dialect is not the one
        return []


def _quote(text: str, delimiter: str) -> str | None:
    """Return the quote that whole fields are in; None when quotes are there, but only within fields."""
    mark = re.escape(delimiter)
    quoted = {
        quote: len(re.findall(rf"(?:^|{mark}){quote}[^{quote}]*{quote}(?={mark}|\r?$)", text, re.MULTILINE))
        for quote in "\"'"
    }
    if quoted['"'] == 0 and quoted["'"] > text.count("\n"):
        return "'"
    return None if quoted['"'] == 0 and '"' in text else '"'


def _has_header(rows: list[list[str]]) -> bool:
    """Ask every column whether the first value is unlike the others; when no column knows, there is a header."""
    if len(rows) < 2:  # noqa: PLR2004 - with one row there is nothing to compare
        return True
    votes = [_vote(first, [row[index] for row in rows[1:] if index < len(row)]) for index, first in enumerate(rows[0])]
    return sum(votes) >= 0


def _vote(first: str, others: list[str]) -> int:
    """Return 1 when `first` names this column, -1 when it is one of its values, 0 when there is no telling."""
    filled = [value for value in others if value]
    if not filled or not first:
        return 0
    if sum(bool(_TYPED.fullmatch(value)) for value in filled) >= _MOSTLY * len(filled):
        return -1 if _TYPED.fullmatch(first) else 1
    return -1 if first in filled else 0
