"""Opens the raw objects of a partition ahead of their reader, where opening one means to wait for a network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline_assets.local_files import is_remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from typing import BinaryIO

    from pipeline_assets.ports import Store
    from sluice.manifest import RawObject

_AHEAD = 12
"""Objects opened and not yet read; a store holds at most some 25 MB of each."""


@contextmanager
def opened_ahead(store: Store, objects: Sequence[RawObject]) -> Iterator[Callable[[RawObject], BinaryIO]]:
    """Yield what opens exactly the content that the manifest names, fastest in the order of `objects`."""
    if not is_remote(store):
        yield lambda item: store.open(item.key, etag=item.etag)
        return
    with ThreadPoolExecutor(_AHEAD, thread_name_prefix="sluice-open") as pool:
        ahead = _Ahead(store, objects, pool)
        try:
            yield ahead.open
        finally:
            ahead.close()


class _Ahead:
    def __init__(self, store: Store, objects: Sequence[RawObject], pool: ThreadPoolExecutor) -> None:
        self._store = store
        self._objects = objects
        self._numbers = {item: number for number, item in enumerate(objects)}
        self._pool = pool
        self._waiting: dict[RawObject, Future[BinaryIO]] = {}
        self._next = 0

    def open(self, item: RawObject) -> BinaryIO:
        until = min(self._numbers.get(item, -1) + 1 + _AHEAD, len(self._objects))
        for wanted in self._objects[self._next : until]:
            self._waiting[wanted] = self._pool.submit(self._open, wanted)
        self._next = max(self._next, until)
        found = self._waiting.pop(item, None)
        return self._open(item) if found is None else found.result()  # read a second time, it is opened a second time

    def close(self) -> None:
        """Close what nobody came for: a reader may stop early."""
        for future in self._waiting.values():
            if not future.cancel() and future.exception() is None:
                future.result().close()

    def _open(self, item: RawObject) -> BinaryIO:
        return self._store.open(item.key, etag=item.etag)
