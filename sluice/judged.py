"""A verdict as it is recorded: which gate, on which version, under which rules, and whether it stops publication."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.gates.verdict import Severity

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.gates.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """`version` is the text of a `Version`; `rules` is `rules_fingerprint_of` the contract it was judged under."""

    dataset: str
    partition: str
    version: str
    gate: str
    rules: str
    severity: Severity
    verdict: Verdict
    run_id: str
    judged_at: datetime

    @property
    def blocks(self) -> bool:
        return not self.verdict.holds and self.verdict.may_block and self.severity is Severity.BLOCK
