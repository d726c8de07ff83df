"""Which lines of a CSV block belong together: quoted fields may hold line ends, and a bad quote spoils its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sluice.reading.lines import Block

MAX_LINES = 1_000
MAX_BYTES = 1 << 20
"""What a record of several lines may span; a quote that is still open beyond either counts as never closed."""

BAD_QUOTING = "bad_quoting"
UNCLOSED_QUOTE = "unclosed_quote"


@dataclass(frozen=True, slots=True)
class Spans:
    """Records by their first and last lines (indexes into the block), and codes for those that are malformed.

    The lines from `rest` on belong to a record that the block does not hold to its end.
    """

    firsts: NDArray[np.int64]
    lasts: NDArray[np.int64]
    malformed: dict[int, str]
    rest: int


def spans(block: Block, delimiter: bytes, quote: bytes, *, is_last: bool) -> Spans:
    """Group the lines of a block that starts with a record. A malformed record ends with its first line."""
    quotes = _quotes(block, delimiter, quote)
    firsts, lasts = _sound_records(block, quotes)
    begin = int(lasts[-1]) + 1 if len(lasts) else 0
    if begin == len(block.starts):
        return Spans(firsts, lasts, {}, begin)
    walk = _Walk(block, quotes, begin, is_last=is_last)
    walk.run()
    malformed = {len(firsts) + index: code for index, code in walk.malformed.items()}
    return Spans(_extended(firsts, walk.firsts), _extended(lasts, walk.lasts), malformed, walk.line)


def _extended(lines: NDArray[np.int64], more: list[int]) -> NDArray[np.int64]:
    return np.concatenate((lines, np.array(more, dtype=np.int64)))


@dataclass(frozen=True, slots=True)
class _Quotes:
    """Every quote of a block: where it is, and whether its neighbours let it open or close a field.

    A doubled quote is read as one that closes and one that opens again. `before[i]` quotes come before line i.
    """

    at: NDArray[np.int64]
    may_open: NDArray[np.bool_]
    may_close: NDArray[np.bool_]
    before: NDArray[np.int64]


def _quotes(block: Block, delimiter: bytes, quote: bytes) -> _Quotes:
    octets = np.frombuffer(block.data, dtype=np.uint8)
    at = np.flatnonzero(octets == ord(quote))
    is_border = np.zeros(256, dtype=np.bool_)
    is_border[list(delimiter + quote + b"\r\n")] = True
    return _Quotes(
        at=at,
        may_open=is_border[octets[at - 1]] | (at == 0),
        may_close=is_border[octets[np.minimum(at + 1, len(octets) - 1)]] | (at == len(octets) - 1),
        before=np.append(np.searchsorted(at, block.starts), len(at)),
    )


def _sound_records(block: Block, quotes: _Quotes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first and last lines of all records before the first that is malformed or not whole."""
    fits = np.where(np.arange(len(quotes.at)) % 2 == 0, quotes.may_open, quotes.may_close)
    first_misfit = len(block.data) + 1 if fits.all() else int(quotes.at[np.argmin(fits)])
    # Up to there quotes come in pairs: a line begins a record when an even number of them is behind it.
    firsts = np.flatnonzero(quotes.before[:-1] % 2 == 0)
    lasts = np.append(firsts[1:], len(block.starts)) - 1
    is_sound = (block.ends[lasts] < first_misfit) & ~_too_long(block, firsts, lasts)
    is_sound[-1] &= len(quotes.at) % 2 == 0
    count = len(firsts) if is_sound.all() else int(np.argmin(is_sound))
    return firsts[:count], lasts[:count]


def _too_long(block: Block, firsts: NDArray[np.int64], lasts: NDArray[np.int64]) -> NDArray[np.bool_]:
    sizes = block.ends[lasts] - block.starts[firsts]
    return (lasts - firsts >= MAX_LINES) | ((lasts > firsts) & (sizes > MAX_BYTES))


class _Walk:
    """Goes from record to record, for the part of a block where quotes are out of order; about a microsecond each."""

    def __init__(self, block: Block, quotes: _Quotes, line: int, *, is_last: bool) -> None:
        self.line = line
        self.firsts: list[int] = []
        self.lasts: list[int] = []
        self.malformed: dict[int, str] = {}
        self._is_last = is_last
        self._from_line, self._from_quote = line, int(quotes.before[line])
        self._starts = block.starts[line:].tolist()
        self._ends = block.ends[line:].tolist()
        self._before = quotes.before[line:].tolist()
        self._line_of = (np.searchsorted(block.starts, quotes.at[self._from_quote :], side="right") - 1 - line).tolist()
        self._may_open = quotes.may_open[self._from_quote :].tolist()
        self._may_close = quotes.may_close[self._from_quote :].tolist()

    def run(self) -> None:
        """Stop at the end of the block or before a record that goes on beyond it."""
        count = len(self._starts)
        first = 0
        while first < count:
            last, code = self._record(first)
            if last == count:
                break
            if code is not None:
                self.malformed[len(self.firsts)] = code
            self.firsts.append(first + self._from_line)
            self.lasts.append(last + self._from_line)
            first = last + 1
        self.line = first + self._from_line

    def _record(self, first: int) -> tuple[int, str | None]:
        """Return the record's last line (beyond the block if it goes on) and what is wrong with it."""
        quote = self._before[first] - self._from_quote
        total = len(self._line_of)
        last = first
        while quote < total and self._line_of[quote] == last:
            if not self._may_open[quote]:
                return first, BAD_QUOTING
            if quote + 1 == total:
                return self._never_closed(first)
            if not self._may_close[quote + 1]:
                return first, BAD_QUOTING
            last = self._line_of[quote + 1]
            quote += 2
        return (first, UNCLOSED_QUOTE) if self._is_too_long(first, last) else (last, None)

    def _never_closed(self, first: int) -> tuple[int, str | None]:
        end = len(self._starts)
        gives_up = self._is_last or self._is_too_long(first, end - 1)
        return (first, UNCLOSED_QUOTE) if gives_up else (end, None)

    def _is_too_long(self, first: int, last: int) -> bool:
        size: int = self._ends[last] - self._starts[first]
        return last - first >= MAX_LINES or (last > first and size > MAX_BYTES)
