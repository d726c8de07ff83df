"""Attempts in DynamoDB."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from resources.dynamo_ledger.draft import Behind
from resources.dynamo_ledger.items import key_of, number, read_time, read_time_or_none, write_time
from resources.dynamo_ledger.status import fetch_published_versions, put_status, read_status
from resources.dynamo_ledger.store import Store
from sluice.healing.failure import FailureClass
from sluice.history import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_ledger.items import Item, Key

_OPEN, _FAILED = "OPEN_ATTEMPTS", "FAILED_ATTEMPTS"


class DynamoAttempts(Store):
    def begin(self, dataset: str, partition: str, version: str, run_id: str, started_at: datetime) -> Attempt:
        order = cache(lambda: number(self._table.count_up("attempts")))

        def work(draft: Draft) -> Attempt:
            tried = self._tried(draft, dataset, partition)
            same = [item for item in tried if item["version"] == version]
            if (known := next((item for item in same if item["run_id"] == run_id), None)) is not None:
                return next(self._read_attempts([known]))
            attempt = Attempt(dataset, partition, version, len(same) + 1, run_id, started_at)
            _begin(draft, attempt, order(), len(tried) + 1)
            return attempt

        return self._change(dataset, work)

    def end(
        self,
        attempt: Attempt,
        ended_at: datetime,
        error: str | None,
        failure_class: FailureClass | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        said = {
            "error": error,
            "failure_class": failure_class and failure_class.value,
            "retry_after": None if retry_after is None else retry_after.total_seconds(),
        }

        def work(draft: Draft) -> None:
            tried = self._tried(draft, attempt.dataset, attempt.partition)
            for item in [item for item in tried if _is(item, attempt)]:
                ended = {**item, "ended_at": write_time(ended_at)}
                _end(draft, item, ended, self._table.body(item) | said, is_newest=item is tried[-1])

        self._change(attempt.dataset, work)

    def last_attempt(self, dataset: str, partition: str) -> Attempt | None:
        newest = self._table.query(_pk(dataset, partition), newest_first=True, most=1)
        return next(self._read_attempts(newest), None)

    def attempts(self, dataset: str, partition: str, version: str) -> tuple[Attempt, ...]:
        return tuple(self._read_attempts(self._table.query(_pk(dataset, partition), where={"version": version})))

    def open_attempts(self) -> tuple[Attempt, ...]:
        return tuple(item for item in self._named(self._table.query(_OPEN)) if item.ended_at is None)

    def ended_attempts(
        self, most: int, *, dataset: str | None = None, failure_class: FailureClass | None = None
    ) -> tuple[Attempt, ...]:
        by_dataset = [self._ended(name, failure_class, max(most, 1)) for name in self._table.datasets(dataset)]
        newest = merge(*by_dataset, key=itemgetter("sk"), reverse=True)
        return tuple(self._named(islice(newest, most)))

    def failed_attempts(self) -> tuple[Attempt, ...]:
        failed = [item for item in self._named(self._table.query(_FAILED)) if item.error is not None]
        versions = fetch_published_versions(self._table, {(item.dataset, item.partition) for item in failed})
        return tuple(item for item in failed if versions[item.dataset, item.partition] != item.version)

    def _tried(self, draft: Draft, dataset: str, partition: str) -> list[dict[str, Any]]:
        """Return all attempts at the partition; none can be added or changed before the draft is written."""
        status = read_status(draft, dataset, partition)
        tried = list(self._table.query(_pk(dataset, partition)))
        if status.get("attempts", 0) != len(tried):
            raise Behind
        return tried

    def _ended(self, dataset: str, failure_class: FailureClass | None, page: int) -> Iterator[dict[str, Any]]:
        for item in self._table.query(_ended_pk(dataset), newest_first=True, page=page):
            if failure_class is None or item["outcome"] in {"", failure_class.value}:
                yield item

    def _named(self, names: Iterable[Item]) -> Iterator[Attempt]:
        """Yield the attempts that items of an index name, in their order."""
        keys = [(_pk(name["dataset"], name["partition"]), name["attempt"]) for name in names]
        found = self._table.fetch(keys)
        return self._read_attempts(found[key] for key in keys if key in found)

    def _read_attempts(self, items: Iterable[Item]) -> Iterator[Attempt]:
        return (_read(item, self._table.body(item)) for item in items)


def _begin(draft: Draft, attempt: Attempt, order: str, attempts: int) -> None:
    place = {"dataset": attempt.dataset, "partition": attempt.partition}
    item = {**place, "version": attempt.version, "number": attempt.number, "run_id": attempt.run_id}
    item["started_at"] = write_time(attempt.started_at)
    draft.add((_pk(*place.values()), order), item, body={})
    draft.put((_OPEN, order), {**place, "attempt": order})
    draft.delete((_FAILED, "#".join(place.values())))
    put_status(draft, **place, attempts=attempts, **_told(item, {}))


def _end(draft: Draft, before: Item, item: Item, body: dict[str, Any], *, is_newest: bool) -> None:
    place, order = {"dataset": item["dataset"], "partition": item["partition"]}, item["sk"]
    name = {**place, "attempt": order}
    draft.put(
        key_of(item),
        {key: value for key, value in item.items() if key not in {"body", "parts", "part_count"}},
        body=body,
    )
    draft.delete((_OPEN, order))
    if "ended_at" in before:
        draft.delete(_ended_key(before))
    draft.put(_ended_key(item), {**name, "outcome": "" if body["error"] is None else body["failure_class"] or "none"})
    if is_newest:
        failed = (_FAILED, "#".join(place.values()))
        draft.delete(failed) if body["error"] is None else draft.put(failed, name)
    put_status(draft, **place, **(_told(item, body) if is_newest else {}))


def _told(item: Item, body: Item) -> dict[str, Any]:
    """Return what the partition's item says of its newest attempt: no error, which may quote data."""
    failed = body.get("error") is not None
    return {
        "retry_count": item["number"] - 1,
        "run_id": item["run_id"],
        "attempt_version": item["version"],
        "started_at": item["started_at"],
        "ended_at": item.get("ended_at"),
        "failure_class": (body["failure_class"] or FailureClass.UNKNOWN.value) if failed else None,
    }


def _read(item: Item, body: Item) -> Attempt:
    failure_class, waits = body.get("failure_class"), body.get("retry_after")
    return Attempt(
        dataset=item["dataset"],
        partition=item["partition"],
        version=item["version"],
        number=item["number"],
        run_id=item["run_id"],
        started_at=read_time(item["started_at"]),
        ended_at=read_time_or_none(item.get("ended_at")),
        error=body.get("error"),
        failure_class=failure_class and FailureClass(failure_class),
        retry_after=None if waits is None else timedelta(seconds=waits),
    )


def _is(item: Item, attempt: Attempt) -> bool:
    return (item["version"], item["number"]) == (attempt.version, attempt.number)


def _pk(dataset: str, partition: str) -> str:
    return f"ATTEMPTS#{dataset}#{partition}"


def _ended_pk(dataset: str) -> str:
    return f"ENDED_ATTEMPTS#{dataset}"


def _ended_key(item: Item) -> Key:
    return _ended_pk(item["dataset"]), f"{item['ended_at']}#{item['sk']}"
