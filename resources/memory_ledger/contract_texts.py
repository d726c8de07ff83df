"""Contracts as they were, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from resources.memory_ledger.store import Store

if TYPE_CHECKING:
    from sluice.contract_text import ContractText


class MemoryContractTexts(Store):
    def __init__(self) -> None:
        super().__init__()
        self._texts: list[ContractText] = []

    def keep_contract(self, text: ContractText) -> None:
        with self._lock:
            known = self.contract_texts(text.dataset)
            if not known or replace(known[-1], used_since=text.used_since) != text:
                self._texts.append(text)

    def contract_texts(self, dataset: str) -> tuple[ContractText, ...]:
        return tuple(item for item in self._texts if item.dataset == dataset)
