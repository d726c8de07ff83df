"""Metrics of published partitions in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from resources.ledger_schema import METRICS
from resources.sql_ledger.database import Database, at
from resources.verdict_json import check_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.gates.evidence import History


class SqlMeasurements(Database):
    def record_metrics(self, dataset: str, partition: str, metrics: Mapping[str, float]) -> None:
        rows = [
            {"dataset": dataset, "partition": partition, "metric": name, "value": value}
            for name, value in check_metrics(metrics).items()
        ]
        with self._writing(dataset) as connection:
            connection.execute(sa.delete(METRICS).where(*at(METRICS, dataset, partition)))
            if rows:
                connection.execute(sa.insert(METRICS), rows)

    def history(self, dataset: str, before: str, partitions: int) -> Mapping[str, History]:
        newest = (
            sa.select(METRICS.c.partition)
            .where(METRICS.c.dataset == dataset, METRICS.c.partition < before)
            .distinct()
            .order_by(METRICS.c.partition.desc())
            .limit(partitions)
        )
        query = (
            sa.select(METRICS)
            .where(METRICS.c.dataset == dataset, METRICS.c.partition.in_(newest))
            .order_by(METRICS.c.metric, METRICS.c.partition)
        )
        found: dict[str, list[tuple[str, float]]] = {}
        with self._reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.metric, []).append((row.partition, row.value))
        return {metric: tuple(values) for metric, values in found.items()}
