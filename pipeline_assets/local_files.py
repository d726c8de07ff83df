"""Objects of the store as files of this machine, for engines that read nothing else."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline_assets.ports import Store

_CHUNK_BYTES = 1 << 20


@contextmanager
def local_files(store: Store, uris: Sequence[str], scratch: Path) -> Iterator[Callable[[], list[str]]]:
    """Yield what returns a path for each URI; what is elsewhere is fetched at the first call, and gone at the end."""
    with ExitStack() as stack:

        @cache
        def paths() -> list[str]:
            if not is_remote(store):
                return list(uris)
            folder = stack.enter_context(TemporaryDirectory(dir=scratch, prefix="fetched-"))
            return [_fetched(store, uri, Path(folder, f"{number}.parquet")) for number, uri in enumerate(uris)]

        yield paths


def paths_of(store: Store, workspace: Path) -> Callable[[str], str]:
    """Return what gives a path for a key; what is elsewhere is fetched into the workspace."""
    if not is_remote(store):
        return store.uri
    folder = workspace / "fetched"
    folder.mkdir(exist_ok=True)
    return cache(lambda key: _fetched(store, store.uri(key), folder / key.replace("/", "_")))


def is_remote(store: Store) -> bool:
    return "://" in store.uri("x")


def _fetched(store: Store, uri: str, target: Path) -> str:
    root = store.uri("x").removesuffix("x")
    with store.open(uri.removeprefix(root)) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, _CHUNK_BYTES)
    return str(target)
