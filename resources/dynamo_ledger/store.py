"""What the parts of a DynamoDB ledger share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from resources.dynamo_ledger.draft import change
from resources.dynamo_ledger.opening import open_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_place import DynamoPlace

T = TypeVar("T")


class Store:
    def __init__(self, place: DynamoPlace) -> None:
        self._table = open_table(place)

    def _change(self, dataset: str | None, work: Callable[[Draft], T]) -> T:
        """Do one change, again and again until nobody came in between; `work` must not touch the world otherwise."""
        if dataset is not None:
            self._table.know(dataset)
        return change(self._table, work)
