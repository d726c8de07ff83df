"""Verdicts and acceptances in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.memory_ledger.history import MemoryPublications
from resources.verdict_json import place_of, write_verdict
from sluice.acceptance import Acceptance
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sluice.judged import Judged


class MemoryJudgements(MemoryPublications):
    def __init__(self) -> None:
        super().__init__()
        self._verdicts: dict[tuple[str, str, str], Judged] = {}
        self._acceptances: list[Acceptance] = []

    def record_verdicts(self, judged: Sequence[Judged]) -> None:
        if not judged:
            return
        dataset, partition, version = place_of(judged)
        for item in judged:
            write_verdict(item.verdict)  # refuses what cannot be written
        with self._lock:
            kept = {
                key: item
                for key, item in self._verdicts.items()
                if key[:2] != (dataset, partition) or item.version == version
            }
            self._verdicts = kept | {(dataset, partition, item.gate): item for item in judged}

    def verdicts(self, dataset: str, partition: str) -> tuple[Judged, ...]:
        return tuple(item for key, item in sorted(self._verdicts.items(), key=_key) if key[:2] == (dataset, partition))

    def blocking_verdicts(self) -> tuple[Judged, ...]:
        blocking = (item for _, item in sorted(self._verdicts.items(), key=_key) if item.blocks)
        return tuple(item for item in blocking if item.version != self._published_version(item.dataset, item.partition))

    def judged_by(self, dataset: str, rules: str) -> frozenset[tuple[str, str]]:
        judged = (item for item in self._verdicts.values() if (item.dataset, item.rules) == (dataset, rules))
        return frozenset((item.partition, item.version) for item in judged)

    def accept(self, judged: Judged, *, why: str, accepted_by: str, accepted_at: datetime) -> Acceptance:
        fingerprint = Version.parse(judged.version).fingerprint
        wanted = (judged.dataset, judged.partition, judged.gate, fingerprint)
        with self._lock:
            for item in self._acceptances:
                if (item.dataset, item.partition, item.gate, item.fingerprint) == wanted:
                    return item
            number = len(self._acceptances) + 1
            accepted = Acceptance(number, *wanted, dict(judged.verdict.numbers), why, accepted_by, accepted_at)
            self._acceptances.append(accepted)
        return accepted

    def acceptances(self, dataset: str | None = None) -> tuple[Acceptance, ...]:
        return tuple(item for item in self._acceptances if dataset is None or item.dataset == dataset)


def _key(item: tuple[tuple[str, str, str], Judged]) -> tuple[str, str, str]:
    return item[0]
