"""Contracts as they were, in DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.dynamo_ledger.items import number, read_time, write_time
from resources.dynamo_ledger.store import Store
from sluice.contract_text import ContractText

if TYPE_CHECKING:
    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_ledger.items import Item


class DynamoContractTexts(Store):
    def keep_contract(self, text: ContractText) -> None:
        def work(draft: Draft) -> None:
            newest = next(self._table.query(_pk(text.dataset), newest_first=True, most=1), None)
            if newest is not None and self._says_the_same(newest, text):
                return
            key = (_pk(text.dataset), number(1 if newest is None else int(newest["sk"]) + 1))
            if draft.read(key) is None:
                draft.put(key, {"used_since": write_time(text.used_since)}, body=_written(text))

        self._change(text.dataset, work)

    def contract_texts(self, dataset: str) -> tuple[ContractText, ...]:
        return tuple(self._read_text(dataset, item) for item in self._table.query(_pk(dataset)))

    def _says_the_same(self, item: Item, text: ContractText) -> bool:
        known: dict[str, str | None] = self._table.body(item)
        return known == _written(text)

    def _read_text(self, dataset: str, item: Item) -> ContractText:
        return ContractText(dataset, **self._table.body(item), used_since=read_time(item["used_since"]))


def _written(text: ContractText) -> dict[str, str | None]:
    return {"fingerprint": text.fingerprint, "text": text.text, "transform_sql": text.transform_sql}


def _pk(dataset: str) -> str:
    return f"CONTRACTS#{dataset}"
