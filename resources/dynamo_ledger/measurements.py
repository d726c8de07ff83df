"""Metrics of published partitions in DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.dynamo_ledger.store import Store
from resources.verdict_json import check_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.gates.evidence import History


class DynamoMeasurements(Store):
    def record_metrics(self, dataset: str, partition: str, metrics: Mapping[str, float]) -> None:
        checked, key = check_metrics(metrics), (_pk(dataset), partition)
        if checked:
            self._change(dataset, lambda draft: draft.put(key, body=checked))
        else:
            self._change(dataset, lambda draft: draft.delete(key))

    def history(self, dataset: str, before: str, partitions: int) -> Mapping[str, History]:
        if not partitions:
            return {}
        newest = self._table.query(_pk(dataset), between=("0", before), newest_first=True, most=partitions + 1)
        earlier = [item for item in newest if item["sk"] < before][:partitions]
        measured = [(item["sk"], self._table.body(item)) for item in reversed(earlier)]
        names = sorted({name for _, metrics in measured for name in metrics})
        return {name: tuple((day, metrics[name]) for day, metrics in measured if name in metrics) for name in names}


def _pk(dataset: str) -> str:
    return f"METRICS#{dataset}"
