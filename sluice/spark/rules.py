"""Which engine builds a partition: DuckDB in the run's own process, or Spark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineRules:
    """The contract's `engine`. From `spark_above_bytes` of raw objects on Spark builds; None is never, 0 always."""

    spark_above_bytes: int | None = None

    def is_spark(self, bytes_in: int) -> bool:
        return self.spark_above_bytes is not None and bytes_in >= self.spark_above_bytes
