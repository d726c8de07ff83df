"""How a bench says what it found, so that `make bench` can print one table: `tell(Line(...))` at its end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

_MARK = "#bench "


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison. Numbers are texts with their units, `held` is None where there is no target or no reference."""

    question: int  # as bench/README.md numbers them
    what: str
    sluice: str
    reference: str
    ratio: str = ""
    target: str = ""
    held: bool | None = None


def tell(line: Line) -> None:
    print(f"{_MARK}{json.dumps(asdict(line))}", flush=True)


def read_line(text: str) -> Line | None:
    """Return what `tell` has printed; None for anything else that a bench prints."""
    return Line(**json.loads(text.removeprefix(_MARK))) if text.startswith(_MARK) else None
