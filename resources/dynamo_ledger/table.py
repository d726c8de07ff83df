"""One table of DynamoDB: consistent reads, whole pages, and counters."""

from __future__ import annotations

import json
import random
import time
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from resources.aws_errors import account_meaning, explain_credentials
from resources.dynamo_ledger.items import key_of, read_body, read_item, write_item
from sluice.errors import LedgerMissing, LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from resources.dynamo_ledger.items import Item, Key
    from resources.dynamo_place import DynamoPlace

PATIENCE_SECONDS = 30.0
"""How long a call waits for other writers, as with the other ledgers."""

_KEYS_AT_ONCE = 100
_FIRST_WAIT, _LONGEST_WAIT = 0.01, 1.0


class Table:
    """Every read is a consistent one. Throttled requests are repeated by botocore, at random within growing limits."""

    def __init__(self, place: DynamoPlace) -> None:
        self.place = place
        self._client = open_client(place)
        self._datasets: set[str] = set()

    def call(self, operation: str, **arguments: Any) -> Any:  # noqa: ANN401  answers as DynamoDB gives them
        with explain_credentials():
            return getattr(self._client, operation)(**arguments)

    def get(self, key: Key) -> dict[str, Any] | None:
        found = self.call("get_item", TableName=self.place.table, Key=_written(key), ConsistentRead=True)
        return read_item(found["Item"]) if "Item" in found else None

    def put(self, item: Item) -> None:
        self.call("put_item", TableName=self.place.table, Item=write_item(item))

    def fetch(self, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
        """Return those of the items that are there."""
        found: dict[Key, dict[str, Any]] = {}
        wanted = [_written(key) for key in dict.fromkeys(keys)]
        for start in range(0, len(wanted), _KEYS_AT_ONCE):
            found |= {key_of(item): item for item in self._fetch(wanted[start : start + _KEYS_AT_ONCE])}
        return found

    def query(
        self,
        pk: str,
        *,
        begins: str = "",
        between: tuple[str, str] | None = None,
        where: Mapping[str, Any] | None = None,
        newest_first: bool = False,
        most: int | None = None,
        page: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the items under `pk` by `sk`; `between` includes both ends, `where` asks for equal attributes.

        A `page` says how many items are read at a time, and paid for, where the reader may soon have enough.
        """
        condition, values = "pk = :pk", {":pk": pk}
        if between is not None:
            condition, values = f"{condition} AND sk BETWEEN :low AND :high", values | _named(("low", "high"), between)
        elif begins:
            condition, values = f"{condition} AND begins_with(sk, :begins)", values | {":begins": begins}
        wanted = dict(where or {})
        arguments: dict[str, Any] = {"KeyConditionExpression": condition, "ScanIndexForward": not newest_first}
        if wanted:
            arguments["FilterExpression"] = " AND ".join(f"#{name} = :is_{name}" for name in wanted)
            arguments["ExpressionAttributeNames"] = {f"#{name}": name for name in wanted}
            values |= {f":is_{name}": value for name, value in wanted.items()}
        if (limit := page or (None if wanted else most)) is not None:
            arguments["Limit"] = max(limit, 1)
        arguments["ExpressionAttributeValues"] = write_item(values)
        return islice(self._pages(arguments), most)

    def body(self, item: Item) -> Any:  # noqa: ANN401  any JSON
        """Return what was put as the item's body."""
        return json.loads(self.json(item))

    def json(self, item: Item) -> str:
        """Return the body as text; a long one is in parts of its own, which are never changed."""
        if "parts" not in item:
            return read_body(item["body"])
        parts = list(self.query(part_key(item["parts"])))
        if len(parts) != item["part_count"]:
            raise LedgerUnavailable(where=str(self.place), problem=f"parts of {key_of(item)} are missing")
        return read_body(b"".join(part["body"] for part in parts))

    def count_up(self, name: str) -> int:
        """Return a number that nobody else gets; a call that fails afterwards leaves a gap."""
        found = self.call(
            "update_item",
            TableName=self.place.table,
            Key=_written(counter_key(name)),
            UpdateExpression="ADD #last :one",
            ExpressionAttributeNames={"#last": "last"},
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        return int(found["Attributes"]["last"]["N"])

    def know(self, dataset: str) -> None:
        """Remember that there is this dataset; done before anything is written of it."""
        if dataset not in self._datasets:
            self.put({"pk": "DATASETS", "sk": dataset})
            self._datasets.add(dataset)

    def datasets(self, dataset: str | None) -> list[str]:
        """Return the one dataset, or all in order."""
        return [dataset] if dataset is not None else [item["sk"] for item in self.query("DATASETS")]

    def _fetch(self, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        name, left = self.place.table, keys
        for wait in patience(str(self.place)):
            found = self.call("batch_get_item", RequestItems={name: {"Keys": left, "ConsistentRead": True}})
            yield from (read_item(item) for item in found["Responses"].get(name, []))
            left = found.get("UnprocessedKeys", {}).get(name, {}).get("Keys", [])
            if not left:
                return
            time.sleep(wait)

    def _pages(self, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            found = self.call("query", TableName=self.place.table, ConsistentRead=True, **arguments, **start)
            yield from (read_item(item) for item in found["Items"])
            if "LastEvaluatedKey" not in found:
                return
            start = {"ExclusiveStartKey": found["LastEvaluatedKey"]}


def open_client(place: DynamoPlace) -> Any:  # noqa: ANN401  botocore makes its clients at run time
    """Return a client that tells by itself what the account or the settings are to blame for."""

    def refuse(parsed: Mapping[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401
        code = str(parsed.get("Error", {}).get("Code", ""))
        if code == "ResourceNotFoundException":
            raise LedgerMissing(table=place.table, region=place.s3.region)
        if (meant := account_meaning(code, str(model.name), str(place))) is not None:
            raise meant

    with explain_credentials():
        client = place.s3.client("dynamodb")
    client.meta.events.register("after-call.dynamodb", refuse)
    return client


def patience(where: str) -> Iterator[float]:
    """Yield how long to wait before the next try, at random; raises LedgerUnavailable when it was tried for long."""
    until = time.monotonic() + PATIENCE_SECONDS
    for turn in count():
        yield random.uniform(0, min(_FIRST_WAIT * 2**turn, _LONGEST_WAIT))  # noqa: S311  not for secrets
        if time.monotonic() > until:
            raise LedgerUnavailable(where=where, problem=f"others kept writing to it for {PATIENCE_SECONDS:.0f} s")


def counter_key(name: str) -> Key:
    return "COUNTER", name


def part_key(token: str) -> str:
    return f"PART#{token}"


def _written(key: Key) -> dict[str, Any]:
    return write_item({"pk": key[0], "sk": key[1]})


def _named(names: Iterable[str], values: Iterable[str]) -> dict[str, str]:
    return {f":{name}": value for name, value in zip(names, values, strict=True)}
