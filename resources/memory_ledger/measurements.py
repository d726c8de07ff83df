"""Metrics of published partitions in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.memory_ledger.store import Place, Store
from resources.verdict_json import check_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.gates.evidence import History


class MemoryMeasurements(Store):
    def __init__(self) -> None:
        super().__init__()
        self._metrics: dict[Place, dict[str, float]] = {}

    def record_metrics(self, dataset: str, partition: str, metrics: Mapping[str, float]) -> None:
        checked = check_metrics(metrics)
        with self._lock:
            self._metrics[dataset, partition] = checked

    def history(self, dataset: str, before: str, partitions: int) -> Mapping[str, History]:
        measured = sorted(
            (place[1], metrics)
            for place, metrics in self._metrics.items()
            if place[0] == dataset and place[1] < before and metrics
        )
        newest = measured[-partitions:] if partitions else []
        names = sorted({name for _, metrics in newest for name in metrics})
        return {name: tuple((day, metrics[name]) for day, metrics in newest if name in metrics) for name in names}
