"""Publications in DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resources.dynamo_ledger.items import read_time, write_time
from resources.dynamo_ledger.status import put_status
from resources.dynamo_ledger.store import Store
from sluice.history import Published
from sluice.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_ledger.items import Item, Key


class DynamoPublications(Store):
    def record(self, published: Published) -> None:
        self._change(published.outcome.dataset, lambda draft: _record(draft, published))

    def record_stand_in(self, published: Published) -> bool:
        def work(draft: Draft) -> bool:
            known = self._known(draft, published.outcome)
            if known is not None and known.stand_in is None:
                return False
            _replace(draft, published)
            return True

        return self._change(published.outcome.dataset, work)

    def amend(self, before: Published, after: Published) -> bool:
        def work(draft: Draft) -> bool:
            if self._known(draft, before.outcome) != before.outcome:
                return False
            _replace(draft, after)
            return True

        return self._change(before.outcome.dataset, work)

    def published(self, dataset: str, partition: str) -> Published | None:
        found = self._table.get(_key(dataset, partition))
        return None if found is None else self._read_published(found)

    def published_under_others(self, dataset: str, contract: str) -> tuple[Published, ...]:
        others = (item for item in self._published(dataset) if f"-{contract}-" not in item["version"])
        return tuple(self._read_published(item) for item in others)

    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]:
        return tuple(
            self._read_published(item) for name in self._table.datasets(dataset) for item in self._published(name)
        )

    def first_published(self, dataset: str) -> Mapping[str, datetime]:
        found = self._table.query(_first_key(dataset, "")[0])
        return {item["sk"]: read_time(item["published_at"]) for item in found}

    def _known(self, draft: Draft, outcome: Outcome) -> Outcome | None:
        found = draft.read(_key(outcome.dataset, outcome.partition))
        return None if found is None else self._read_published(found).outcome

    def _published(self, dataset: str) -> list[dict[str, Any]]:
        return list(self._table.query(_key(dataset, "")[0]))

    def _read_published(self, item: Item) -> Published:
        outcome = Outcome.model_validate_json(self._table.json(item))
        return Published(outcome, item.get("snapshot_id"), read_time(item["published_at"]))


def _record(draft: Draft, published: Published) -> None:
    outcome = published.outcome
    _replace(draft, published)
    first = _first_key(outcome.dataset, outcome.partition)
    if outcome.stand_in is None and draft.read(first) is None:
        draft.put(first, {"published_at": write_time(published.published_at)})


def _replace(draft: Draft, published: Published) -> None:
    outcome, at = published.outcome, write_time(published.published_at)
    key, version = _key(outcome.dataset, outcome.partition), str(outcome.version)
    draft.read(key)
    draft.put(
        key,
        {"snapshot_id": published.snapshot_id, "published_at": at, "version": version},
        body=outcome.model_dump(mode="json"),
    )
    put_status(
        draft,
        outcome.dataset,
        outcome.partition,
        published_version=version,
        published_at=at,
        stand_in=outcome.stand_in,
        rows=outcome.published,
        quarantined=outcome.quarantined,
    )


def _key(dataset: str, partition: str) -> Key:
    return f"PUBLISHED#{dataset}", partition


def _first_key(dataset: str, partition: str) -> Key:
    return f"FIRST_PUBLISHED#{dataset}", partition
