"""The ledger of one process, for tests and drills."""

from __future__ import annotations

from resources.memory_ledger.arrivals import MemoryArrivals
from resources.memory_ledger.backfills import MemoryBackfills
from resources.memory_ledger.contract_texts import MemoryContractTexts
from resources.memory_ledger.history import MemoryAttempts, MemoryPublications
from resources.memory_ledger.incidents import MemoryIncidents
from resources.memory_ledger.judgements import MemoryJudgements
from resources.memory_ledger.measurements import MemoryMeasurements
from resources.memory_ledger.spending import MemorySpending

__all__ = ["MemoryLedger"]


class MemoryLedger(
    MemoryArrivals,
    MemoryAttempts,
    MemoryJudgements,
    MemoryPublications,
    MemoryMeasurements,
    MemorySpending,
    MemoryIncidents,
    MemoryBackfills,
    MemoryContractTexts,
):
    """Threads may share it."""
