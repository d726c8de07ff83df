"""A contract's files as they were at some time: what a past run was judged by can be read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from sluice.contract import Contract


@dataclass(frozen=True, slots=True)
class ContractText:
    """`fingerprint` is the contract's; files with other gates or titles can have the same one.

    Contracts hold no secrets: headers, routes and the like name environment variables.
    """

    dataset: str
    fingerprint: str
    text: str
    transform_sql: str | None
    used_since: datetime

    def says(self, contract: Contract) -> bool:
        """Whether the files of `contract` are still these."""
        return (self.text, self.transform_sql) == (contract.text, contract.transform_sql)


def text_of(contract: Contract, used_since: datetime) -> ContractText:
    return ContractText(contract.dataset, contract.fingerprint, contract.text, contract.transform_sql, used_since)
