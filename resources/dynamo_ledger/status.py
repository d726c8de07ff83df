"""The item of each partition that people and other services read; who changes a partition's records changes it too.

So it is also what makes writers of one partition see each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluice.partition_state import State

if TYPE_CHECKING:
    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_ledger.items import Item, Key
    from resources.dynamo_ledger.table import Table


def status_key(dataset: str, partition: str) -> Key:
    return f"PARTITION#{dataset}#{partition}", "STATUS"


def read_status(draft: Draft, dataset: str, partition: str) -> dict[str, Any]:
    """Return what is known of the partition; nobody else can change it before the draft is written."""
    return dict(draft.read(status_key(dataset, partition)) or {})


def put_status(draft: Draft, dataset: str, partition: str, **changed: object) -> None:
    known = read_status(draft, dataset, partition) | changed
    known = {name: value for name, value in known.items() if name not in {"pk", "sk", "rev"}}
    known |= {"dataset": dataset, "execution_date": partition, "status": state_of(known).value}
    draft.put(status_key(dataset, partition), known)


def fetch_published_versions(table: Table, places: set[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
    found = table.fetch(status_key(*place) for place in sorted(places))
    return {place: found.get(status_key(*place), {}).get("published_version") for place in places}


def state_of(status: Item) -> State:
    """Decide from the item alone; whether contract or code have changed since, it does not know."""
    published, tried = status.get("published_version"), status.get("attempt_version")
    if tried is not None and status.get("ended_at") is None:
        return State.RUNNING
    if status.get("blocked_version") not in {None, published}:
        return State.BLOCKED
    if status.get("failure_class") is not None and tried != published:
        return State.FAILED
    if published is None:
        return State.PENDING
    if status.get("stand_in") is not None:
        return State.PLACEHOLDER
    return State.PUBLISHED if status.get("fingerprint", _of(published)) == _of(published) else State.STALE


def _of(version: str) -> str:
    return version.partition("-")[0]
