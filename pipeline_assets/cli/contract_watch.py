"""Notices that contracts have changed under `sluice up`, and has the code server load them again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline_assets.cli.output import say
from resources.contract_folders import CONTRACT_NAME, TRANSFORM_NAME
from sluice.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Stamps = dict[str, tuple[int, int]]

_RELOAD_SECONDS = 180


@dataclass(slots=True)
class ContractWatch:
    """Call `look` again and again; `check` raises ContractError for contracts that are wrong, `reload` takes them in.

    What is wrong is said and left out: the servers go on with the contracts they have. Runs under way end undisturbed,
    for the old code server ends after them.
    """

    folders: Sequence[Path]
    check: Callable[[], object]
    reload: Callable[[], object]
    _loaded: Stamps = field(init=False)
    _seen: Stamps = field(init=False)

    def __post_init__(self) -> None:
        self._loaded = self._seen = stamps_of(self.folders)

    def look(self) -> bool:
        """Return whether changed contracts were loaded; files that are being written wait for the next look."""
        before, self._seen = self._seen, stamps_of(self.folders)
        if self._loaded == self._seen or self._seen != before:
            return False
        self._loaded = self._seen
        try:
            self.check()
        except ContractError as error:
            say(f"Contracts have changed, but not to the better; the servers keep those they have. {error}")
            return False
        self.reload()
        say("Contracts have changed; they are loaded again.")
        return True


def stamps_of(folders: Sequence[Path]) -> Stamps:
    """Return time of change and size of every file that contracts are read from; one that vanishes is not there."""
    found: Stamps = {}
    for folder in folders:
        for name in (CONTRACT_NAME, TRANSFORM_NAME):
            for path in folder.glob(f"[!._]*/{name}"):
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue
                found[str(path)] = (stat.st_mtime_ns, stat.st_size)
    return found


def reload_code(socket: Path) -> None:
    """Have Dagster's code server load its definitions in a new process; the daemon looks at it within a minute."""
    from dagster._core.errors import DagsterUserCodeUnreachableError
    from dagster._grpc.client import DagsterGrpcClient

    try:
        DagsterGrpcClient(socket=str(socket)).reload_code(timeout=_RELOAD_SECONDS)
    except DagsterUserCodeUnreachableError:  # it has just died: the one that is started instead loads what is there
        return
