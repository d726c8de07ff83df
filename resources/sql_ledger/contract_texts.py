"""Contracts as they were, in SQL."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from resources.ledger_schema import CONTRACT_TEXTS
from resources.sql_ledger.database import Database
from sluice.contract_text import ContractText

_NAMES = ("dataset", "fingerprint", "text", "transform_sql", "used_since")


class SqlContractTexts(Database):
    def keep_contract(self, text: ContractText) -> None:
        newest = _texts(text.dataset).order_by(None).order_by(CONTRACT_TEXTS.c.id.desc()).limit(1)
        with self._reading() as connection:  # nearly always it is known, and a reader disturbs nobody
            if _is_same(connection.execute(newest).one_or_none(), text):
                return
        with self._writing(text.dataset) as connection:
            if not _is_same(connection.execute(newest).one_or_none(), text):
                connection.execute(sa.insert(CONTRACT_TEXTS).values(asdict(text)))

    def contract_texts(self, dataset: str) -> tuple[ContractText, ...]:
        with self._reading() as connection:
            return tuple(ContractText(**row) for row in connection.execute(_texts(dataset)).mappings())


def _texts(dataset: str) -> sa.Select[Any]:
    columns = (CONTRACT_TEXTS.c[name] for name in _NAMES)
    return sa.select(*columns).where(CONTRACT_TEXTS.c.dataset == dataset).order_by(CONTRACT_TEXTS.c.id)


def _is_same(row: sa.Row[Any] | None, text: ContractText) -> bool:
    wanted = (text.fingerprint, text.text, text.transform_sql)
    return row is not None and (row.fingerprint, row.text, row.transform_sql) == wanted
