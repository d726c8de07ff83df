"""Verdicts in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from resources.ledger_schema import PUBLICATIONS, VERDICTS
from resources.sql_ledger.database import Database, at
from resources.verdict_json import place_of, read_verdict, write_verdict
from sluice.gates.verdict import Severity
from sluice.judged import Judged

if TYPE_CHECKING:
    from collections.abc import Sequence


class SqlVerdicts(Database):
    def record_verdicts(self, judged: Sequence[Judged]) -> None:
        if not judged:
            return
        dataset, partition, version = place_of(judged)
        replaced = (VERDICTS.c.version != version) | VERDICTS.c.gate.in_([item.gate for item in judged])
        rows = [_row(item) for item in judged]
        with self._writing(dataset) as connection:
            connection.execute(sa.delete(VERDICTS).where(*at(VERDICTS, dataset, partition), replaced))
            connection.execute(sa.insert(VERDICTS), rows)

    def verdicts(self, dataset: str, partition: str) -> tuple[Judged, ...]:
        query = sa.select(VERDICTS).where(*at(VERDICTS, dataset, partition)).order_by(VERDICTS.c.gate)
        with self._reading() as connection:
            return tuple(_read(row) for row in connection.execute(query))

    def blocking_verdicts(self) -> tuple[Judged, ...]:
        place = (PUBLICATIONS.c.dataset == VERDICTS.c.dataset) & (PUBLICATIONS.c.partition == VERDICTS.c.partition)
        query = (
            sa.select(VERDICTS)
            .join_from(VERDICTS, PUBLICATIONS, place, isouter=True)
            .where(VERDICTS.c.blocks.is_(True), PUBLICATIONS.c.version.is_distinct_from(VERDICTS.c.version))
            .order_by(VERDICTS.c.dataset, VERDICTS.c.partition, VERDICTS.c.gate)
        )
        with self._reading() as connection:
            return tuple(_read(row) for row in connection.execute(query))

    def judged_by(self, dataset: str, rules: str) -> frozenset[tuple[str, str]]:
        these = (VERDICTS.c.dataset == dataset, VERDICTS.c.rules == rules)
        query = sa.select(VERDICTS.c.partition, VERDICTS.c.version).where(*these).distinct()
        with self._reading() as connection:
            return frozenset((row.partition, row.version) for row in connection.execute(query))


def _row(judged: Judged) -> dict[str, Any]:
    return {
        "dataset": judged.dataset,
        "partition": judged.partition,
        "gate": judged.gate,
        "version": judged.version,
        "rules": judged.rules,
        "severity": judged.severity.value,
        "blocks": judged.blocks,
        "verdict": write_verdict(judged.verdict),
        "run_id": judged.run_id,
        "judged_at": judged.judged_at,
    }


def _read(row: sa.Row[Any]) -> Judged:
    return Judged(
        dataset=row.dataset,
        partition=row.partition,
        version=row.version,
        gate=row.gate,
        rules=row.rules,
        severity=Severity(row.severity),
        verdict=read_verdict(row.verdict),
        run_id=row.run_id,
        judged_at=row.judged_at,
    )
