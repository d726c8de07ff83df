"""Acceptances in DynamoDB."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from resources.dynamo_ledger.items import read_time, write_time
from resources.dynamo_ledger.store import Store
from resources.verdict_json import read_numbers, write_numbers
from sluice.acceptance import Acceptance
from sluice.version import Version

if TYPE_CHECKING:
    from datetime import datetime

    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_ledger.items import Item
    from sluice.judged import Judged

_PK = "ACCEPTANCES"


class DynamoAcceptances(Store):
    def accept(self, judged: Judged, *, why: str, accepted_by: str, accepted_at: datetime) -> Acceptance:
        order = cache(lambda: self._table.count_up("acceptances"))
        fingerprint = Version.parse(judged.version).fingerprint
        of = {"dataset": judged.dataset, "partition": judged.partition, "gate": judged.gate, "fingerprint": fingerprint}
        body = {
            **of,
            "numbers": write_numbers(judged.verdict.numbers),
            "why": why,
            "accepted_by": accepted_by,
            "accepted_at": write_time(accepted_at),
        }

        def work(draft: Draft) -> Acceptance:
            key = (_PK, "#".join(of.values()))
            if draft.read(key) is None:
                draft.put(key, {"dataset": judged.dataset, "number": order()}, body=body)
            return self._read_acceptance(draft.read(key) or {})

        return self._change(judged.dataset, work)

    def acceptances(self, dataset: str | None = None) -> tuple[Acceptance, ...]:
        found = self._table.query(_PK, begins="" if dataset is None else f"{dataset}#")
        return tuple(sorted((self._read_acceptance(item) for item in found), key=lambda item: item.number))

    def _read_acceptance(self, item: Item) -> Acceptance:
        body = self._table.body(item)
        numbers, at = read_numbers(body["numbers"]), read_time(body["accepted_at"])
        return Acceptance(**{**body, "number": item["number"], "numbers": numbers, "accepted_at": at})
