"""The rules that must hold before a partition is published: one module per gate, all of them in `GATES`."""

from __future__ import annotations

from sluice.gates.records_are_conserved import RECORDS_ARE_CONSERVED
from sluice.gates.verdict import Gate, Verdict

__all__ = ["GATES", "Gate", "Verdict"]

GATES: tuple[Gate, ...] = (RECORDS_ARE_CONSERVED,)
