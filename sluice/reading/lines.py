"""Physical lines: pieces of content become blocks of whole lines with their places and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sluice.errors import RawObjectUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

BLOCK_BYTES = 1 << 21
"""Large enough to make calls and batches cheap, small enough to stay in the cache while it is looked at repeatedly."""
MAX_LINE_BYTES = 64 << 20
KEPT_OF_LONG_LINE_BYTES = 1 << 20
_LF, _CR = 10, 13


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines: line i, number `first_line_no + i`, is `data[starts[i]:ends[i]]` without its line ending."""

    data: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    first_line_no: int


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line over MAX_LINE_BYTES: its number, its first bytes, its full size."""

    line_no: int
    head: bytes
    size: int

    @property
    def explanation(self) -> str:
        return f"{self.size:,} bytes, {MAX_LINE_BYTES:,} are allowed; the first {len(self.head):,} are kept"


def blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join pieces to blocks of at least BLOCK_BYTES (the last may be smaller).

    What was read before an object turns out unreadable is yielded before the error goes on.
    """
    held: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            held.append(piece)
            size += len(piece)
            if size >= BLOCK_BYTES:
                yield b"".join(held)
                held, size = [], 0
    except RawObjectUnreadable:
        if held:
            yield b"".join(held)
        raise
    if held:
        yield b"".join(held)


def split_lines(
    chunks: Iterable[bytes], *, bare_cr: bool, max_bytes: int = MAX_LINE_BYTES
) -> Iterator[Block | LongLine]:
    r"""Yield all lines in order. `\n` and `\r\n` end a line; with `bare_cr` a `\r` alone does too."""
    splitter = _Splitter(bare_cr=bare_cr, max_bytes=max_bytes)
    for chunk in _whole_line_ends(chunks) if bare_cr else chunks:
        yield from splitter.split(chunk)
    yield from splitter.finish()


class _Splitter:
    """Holds the line in the making: all of it, or its head once it is over the limit."""

    def __init__(self, *, bare_cr: bool, max_bytes: int) -> None:
        self._bare_cr = bare_cr
        self._max_bytes = max_bytes
        self._marks = (b"\n", b"\r") if bare_cr else (b"\n",)
        self._line_no = 1
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._dropped_bytes = 0
        self._is_long = False
        self._ends_with_cr = False

    def split(self, chunk: bytes) -> Iterator[Block | LongLine]:
        first, last = self._first_line_end(chunk), self._last_line_end(chunk)
        if last == 0:
            self._hold(chunk)
            return
        if self._is_long:
            yield self._long_line(chunk[:first])
            yield from self._lines(chunk[first:last])
        else:
            yield from self._lines(b"".join([*self._held, memoryview(chunk)[:last]]))
        self._held, self._held_bytes = [], 0
        self._hold(chunk[last:])

    def finish(self) -> Iterator[Block | LongLine]:
        if self._is_long:
            yield self._long_line(b"")
        else:
            yield from self._lines(b"".join(self._held))

    def _hold(self, data: bytes) -> None:
        if not data:
            return
        self._held.append(data)
        self._held_bytes += len(data)
        self._ends_with_cr = data.endswith(b"\r")
        if self._held_bytes > self._max_bytes + self._ends_with_cr:
            head = b"".join(self._held)[:KEPT_OF_LONG_LINE_BYTES]
            self._dropped_bytes += self._held_bytes - len(head)
            self._held, self._held_bytes, self._is_long = [head], len(head), True

    def _long_line(self, tail: bytes) -> LongLine:
        """Make the held line, ended by `tail`, a long one."""
        text = tail.removesuffix(b"\n")
        has_cr = self._bare_cr or text != tail
        text = text.removesuffix(b"\r") if has_cr else text
        cut_cr = tail == b"\n" and self._ends_with_cr
        size = self._held_bytes + self._dropped_bytes + len(text) - cut_cr
        line = LongLine(self._line_no, b"".join(self._held)[: min(size, KEPT_OF_LONG_LINE_BYTES)], size)
        self._line_no += 1
        self._dropped_bytes, self._is_long = 0, False
        return line

    def _lines(self, data: bytes) -> Iterator[Block | LongLine]:
        if not data:
            return
        starts, ends = self._bounds(data)
        long = np.flatnonzero(ends - starts > self._max_bytes).tolist()
        if not long:
            yield Block(data, starts, ends, self._line_no)
            self._line_no += len(starts)
            return
        # Rare: take the data apart at its first long line. Each part is split again on its own.
        start, end = int(starts[long[0]]), int(ends[long[0]])
        after = int(starts[long[0] + 1]) if long[0] + 1 < len(starts) else len(data)
        yield from self._lines(data[:start])
        yield LongLine(self._line_no, data[start : min(end, start + KEPT_OF_LONG_LINE_BYTES)], end - start)
        self._line_no += 1
        yield from self._lines(data[after:])

    def _bounds(self, data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        octets = np.frombuffer(data, dtype=np.uint8)
        has_cr = b"\r" in data
        stops = _line_ends(octets) if has_cr and self._bare_cr else np.flatnonzero(octets == _LF)
        if not len(stops) or stops[-1] != len(octets) - 1:
            stops = np.append(stops, len(octets))
        starts = np.concatenate(([0], stops[:-1] + 1))
        ends = stops
        if has_cr:
            at_lf = octets[np.minimum(stops, len(octets) - 1)] == _LF
            ends = stops - (at_lf & (stops > starts) & (octets[stops - 1] == _CR))
        return starts, ends

    def _first_line_end(self, chunk: bytes) -> int:
        """Return the number of bytes up to and with the first line ending, 0 when there is none."""
        ends = [chunk.find(mark) for mark in self._marks]
        first = min((end for end in ends if end >= 0), default=-1)
        return first + (2 if chunk.startswith(b"\r\n", first) and first >= 0 else 1)

    def _last_line_end(self, chunk: bytes) -> int:
        return max(chunk.rfind(mark) for mark in self._marks) + 1


def _line_ends(octets: NDArray[np.uint8]) -> NDArray[np.int64]:
    r"""Return where lines end when a `\r` that no `\n` follows ends one too."""
    is_end = octets == _LF
    bare = octets == _CR
    bare[:-1] &= ~is_end[1:]
    return np.flatnonzero(is_end | bare)


def _whole_line_ends(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Pass chunks on so that none ends between `\r` and `\n`."""
    held = b""
    for chunk in chunks:
        data = held + chunk if held else chunk
        held = b"\r" if data.endswith(b"\r") else b""
        yield data[: len(data) - len(held)]
    if held:
        yield held
