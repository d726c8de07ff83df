"""Verdicts in DynamoDB: one item for all of a partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resources.dynamo_ledger.items import read_time, write_time
from resources.dynamo_ledger.status import fetch_published_versions, put_status
from resources.dynamo_ledger.store import Store
from resources.verdict_json import place_of, read_verdict, write_verdict
from sluice.gates.verdict import Severity
from sluice.judged import Judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_ledger.items import Item, Key

_BLOCKED = "BLOCKED"


class DynamoVerdicts(Store):
    def record_verdicts(self, judged: Sequence[Judged]) -> None:
        if not judged:
            return
        dataset, partition, version = place_of(judged)
        new = {item.gate: _written(item) for item in judged}
        blocked = (_BLOCKED, f"{dataset}#{partition}")

        def work(draft: Draft) -> None:
            key = _key(dataset, partition)
            found = draft.read(key)
            kept = {} if found is None or found["version"] != version else self._table.body(found)
            rows = kept | new
            blocks = any(row["blocks"] for row in rows.values())
            draft.put(key, {"version": version, "rules": _rules(rows)}, body=rows)
            draft.put(blocked, {"dataset": dataset, "partition": partition}) if blocks else draft.delete(blocked)
            put_status(draft, dataset, partition, blocked_version=version if blocks else None)

        self._change(dataset, work)

    def verdicts(self, dataset: str, partition: str) -> tuple[Judged, ...]:
        found = self._table.get(_key(dataset, partition))
        return () if found is None else self._read_all(dataset, found)

    def blocking_verdicts(self) -> tuple[Judged, ...]:
        places = {(item["dataset"], item["partition"]) for item in self._table.query(_BLOCKED)}
        versions = fetch_published_versions(self._table, places)
        found = self._table.fetch(_key(*place) for place in places)
        return tuple(
            judged
            for place in sorted(places)
            if (item := found.get(_key(*place))) is not None and item["version"] != versions[place]
            for judged in self._read_all(place[0], item)
            if judged.blocks
        )

    def judged_by(self, dataset: str, rules: str) -> frozenset[tuple[str, str]]:
        found = self._table.query(_key(dataset, "")[0])
        return frozenset((item["sk"], item["version"]) for item in found if rules in item["rules"].split())

    def _read_all(self, dataset: str, item: Item) -> tuple[Judged, ...]:
        rows = sorted(self._table.body(item).items())
        return tuple(_read(dataset, item["sk"], item["version"], gate, row) for gate, row in rows)


def _written(judged: Judged) -> dict[str, Any]:
    return {
        "rules": judged.rules,
        "severity": judged.severity.value,
        "blocks": judged.blocks,
        "verdict": write_verdict(judged.verdict),
        "run_id": judged.run_id,
        "judged_at": write_time(judged.judged_at),
    }


def _read(dataset: str, partition: str, version: str, gate: str, row: Item) -> Judged:
    return Judged(
        dataset=dataset,
        partition=partition,
        version=version,
        gate=gate,
        rules=row["rules"],
        severity=Severity(row["severity"]),
        verdict=read_verdict(row["verdict"]),
        run_id=row["run_id"],
        judged_at=read_time(row["judged_at"]),
    )


def _rules(rows: dict[str, Any]) -> str:
    return " ".join(sorted({row["rules"] for row in rows.values()}))


def _key(dataset: str, partition: str) -> Key:
    return f"VERDICTS#{dataset}", partition
