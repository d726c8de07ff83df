"""What the launcher asks of the fork server, and what that answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Launch:
    """`arguments` is Dagster's serialized ExecuteRunArgs; the variables may hold secrets and are not shown."""

    run_id: str
    arguments: str
    folder: str
    environ: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Launched:
    """`worker` is the text of a Worker, which waits for Begin; empty if it is dead already."""

    worker: str


@dataclass(frozen=True, slots=True)
class Begin:
    """The worker is noted where others find it."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Code has changed on disk since it was imported: another server is needed."""

    changed: str
