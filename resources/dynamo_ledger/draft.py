"""One change to the table: what was read must still hold when all of it is written at once."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from resources.dynamo_ledger.items import PART_BYTES, cut, write_body, write_item
from resources.dynamo_ledger.table import part_key, patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resources.dynamo_ledger.items import Item, Key
    from resources.dynamo_ledger.table import Table

T = TypeVar("T")

_AGAIN = frozenset(
    {
        *("None", "ConditionalCheckFailed", "TransactionConflict"),
        *("ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"),
    }
)
_PARTS_OUTLIVE = timedelta(days=1)
"""Parts that nothing names any more stay for those who read them just now; DynamoDB removes them by itself."""


class Behind(Exception):
    """A query shows less than an item that was read: a transaction is not yet to be seen in all of its items."""


class Draft:
    """What one try has read and wants to write.

    An item that was `read` has a number that every change raises. The change is written only if each has the number
    that it was read with, or still is not there. What is put or deleted without having been read is not looked at: it
    hangs on an item that was. Whoever puts an item again gives its body again.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._seen: dict[Key, dict[str, Any] | None] = {}
        self._writes: dict[Key, dict[str, Any] | None] = {}
        self._parts: list[tuple[str, list[bytes]]] = []

    def read(self, key: Key) -> dict[str, Any] | None:
        """Return the item as it will be, if this change has put it already."""
        if key in self._writes:
            return self._writes[key]
        if key not in self._seen:
            self._seen[key] = self.table.get(key)
        return self._seen[key]

    def put(self, key: Key, item: Item | None = None, *, body: Any = None) -> None:  # noqa: ANN401  any JSON
        attributes = {**(item or {}), **({} if body is None else self._packed(body))}
        seen = self._seen.get(key)
        revision = {"rev": (seen or {}).get("rev", 0) + 1} if key in self._seen else {}
        self._writes[key] = {"pk": key[0], "sk": key[1], **attributes, **revision}

    def add(self, key: Key, item: Item | None = None, *, body: Any = None) -> None:  # noqa: ANN401  any JSON
        """Put an item that must not be there yet."""
        self._seen[key] = None
        self.put(key, item, body=body)

    def delete(self, key: Key) -> None:
        self._writes[key] = None

    def commit(self) -> bool:
        """Write all or nothing; False when something that was read has changed meanwhile."""
        from botocore.exceptions import ClientError  # type: ignore[import-untyped]

        if not self._writes:
            return True
        self._put_parts()
        try:
            # botocore gives each call a token of its own: a repeated request, whose answer got lost, counts once.
            self.table.call("transact_write_items", TransactItems=list(self._requests()))
        except ClientError as error:
            if not _is_worth_another_try(error):
                raise
            self._let_expire(token for token, _ in self._parts)
            return False
        self._let_expire(seen["parts"] for key in self._writes if (seen := self._seen.get(key)) and "parts" in seen)
        return True

    def _packed(self, body: Any) -> dict[str, Any]:  # noqa: ANN401
        content = write_body(body)
        if isinstance(content, str) or len(content) <= PART_BYTES:
            return {"body": content}
        token, parts = uuid4().hex, cut(content)
        self._parts.append((token, parts))
        return {"parts": token, "part_count": len(parts)}

    def _put_parts(self) -> None:
        for token, parts in self._parts:
            for place, part in enumerate(parts):
                self.table.put({"pk": part_key(token), "sk": f"{place:06d}", "body": part})

    def _let_expire(self, tokens: Iterator[str]) -> None:
        expires_at = int(time.time() + _PARTS_OUTLIVE.total_seconds())
        for token in tokens:
            for part in self.table.query(part_key(token)):
                self.table.put({**part, "expires_at": expires_at})

    def _requests(self) -> Iterator[dict[str, Any]]:
        for key in dict.fromkeys([*self._writes, *self._seen]):
            request: dict[str, Any] = {"TableName": self.table.place.table, **self._condition(key)}
            written = write_item({"pk": key[0], "sk": key[1]})
            if key not in self._writes:
                yield {"ConditionCheck": {**request, "Key": written}}
            elif (item := self._writes[key]) is None:
                yield {"Delete": {**request, "Key": written}}
            else:
                yield {"Put": {**request, "Item": write_item(item)}}

    def _condition(self, key: Key) -> dict[str, Any]:
        if key not in self._seen:
            return {}
        seen = self._seen[key]
        if seen is None:
            return {"ConditionExpression": "attribute_not_exists(pk)"}
        return {"ConditionExpression": "rev = :rev", "ExpressionAttributeValues": {":rev": {"N": str(seen["rev"])}}}


def change(table: Table, work: Callable[[Draft], T]) -> T:
    """Let `work` read, decide and put, until nobody else has changed what it read; raises LedgerUnavailable."""
    for wait in patience(str(table.place)):
        with suppress(Behind):
            draft = Draft(table)
            answer = work(draft)
            if draft.commit():
                return answer
        time.sleep(wait)
    raise AssertionError("patience ends by raising")


def _is_worth_another_try(error: Any) -> bool:  # noqa: ANN401  botocore has no types
    if error.response.get("Error", {}).get("Code") == "TransactionInProgressException":
        return True  # repeated while the first is still at work: what is read next will show
    reasons = {reason.get("Code", "None") for reason in error.response.get("CancellationReasons", ())}
    return bool(reasons) and reasons <= _AGAIN
