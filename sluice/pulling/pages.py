"""The pages of one day, as they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class PulledPage:
    """One gzipped file; `sha256` is of what it holds."""

    file: Path
    sha256: str
