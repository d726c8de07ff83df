"""Reads ahead: while DuckDB works on some batches, a thread decompresses and splits the next ones."""

from __future__ import annotations

from queue import Full, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Item = TypeVar("Item")

_READY = 48
"""Batches held ready; a batch has at most some 4,000 records, so this is one or two chunks of a reader."""


class ReadAhead(Generic[Item]):
    """Iterates over `items` in order while a thread runs ahead; what it raises is raised here and kept in `error`.

    It is kept because DuckDB replaces what an Arrow stream raises by an error of its own. Use it once, and close it.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.error: BaseException | None = None
        self._items = items
        self._ready: Queue[Item | None] = Queue(maxsize=_READY)
        self._stopped = Event()
        self._thread = Thread(target=self._fill, name="sluice-read-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        while (item := self._ready.get()) is not None:
            yield item
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """Stop the thread and wait for it."""
        self._stopped.set()
        self._thread.join()

    def _fill(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as raised:  # noqa: BLE001  raised again in the thread that reads
            self.error = raised
        self._put(None)

    def _put(self, item: Item | None) -> bool:
        """Wait for room, but not for ever: nobody makes room once the reading side has gone."""
        while not self._stopped.is_set():
            try:
                self._ready.put(item, timeout=0.1)
            except Full:
                continue
            return True
        return False
