"""An object in S3 as a file: read front to back it is fetched ahead, several ranges at a time; it can be sought in."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

FIRST_BYTES = 1 << 20
"""What opening an object fetches: the whole of a small one, and little more than a look at a large one needs."""

_BLOCK_BYTES = 8 << 20
_AHEAD = 3
"""Blocks in flight beside the one that is read: four connections fill the line of one machine."""

_KEPT = 8
"""Blocks held, so that a Parquet file of some 64 MB that is hashed first and read then is fetched once."""


class S3File(io.RawIOBase):
    """`first` are the first bytes of the object, all of it if `size` is not larger.

    `fetch` returns the bytes from one position up to, not including, another; it is called in threads.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], first: bytes, size: int, executor: Executor) -> None:
        super().__init__()
        self._fetch = fetch
        self._first = first
        self._size = size
        self._executor = executor
        self._position = 0
        self._blocks: dict[int, Future[bytes]] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed allows any buffer
        view = memoryview(buffer).cast("B")
        piece = self._piece(len(view))
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        for block in self._blocks.values():
            block.cancel()
        self._blocks.clear()
        super().close()

    def _piece(self, most: int) -> memoryview:
        """Return what is here at the position, up to the end of its block."""
        if self._position >= self._size:
            return memoryview(b"")
        if self._position < len(self._first):
            return memoryview(self._first)[self._position : self._position + most]
        number, offset = divmod(self._position - len(self._first), _BLOCK_BYTES)
        return memoryview(self._block(number))[offset : offset + most]

    def _block(self, number: int) -> bytes:
        last = (self._size - len(self._first) - 1) // _BLOCK_BYTES
        # Somebody who jumps about wants this block; who reads on wants the next ones as well.
        goes_on = number == 0 or number - 1 in self._blocks
        for wanted in range(number, min(number + _AHEAD if goes_on else number, last) + 1):
            if wanted not in self._blocks:
                self._blocks[wanted] = self._executor.submit(self._fetch, *self._range(wanted))
        for old in [held for held in self._blocks if held < number - _KEPT + _AHEAD + 1]:
            del self._blocks[old]
        return self._blocks[number].result()

    def _range(self, number: int) -> tuple[int, int]:
        start = len(self._first) + number * _BLOCK_BYTES
        return start, min(start + _BLOCK_BYTES, self._size)
