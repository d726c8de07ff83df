"""Arrivals in DynamoDB: for each partition a log of what changed, with a whole listing now and then."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from resources.arrival_order import check_objects, manifest_of, next_sequence
from resources.dynamo_ledger.draft import Behind
from resources.dynamo_ledger.items import number, read_time, write_time
from resources.dynamo_ledger.status import put_status, read_status
from resources.dynamo_ledger.store import Store
from resources.dynamo_ledger.table import counter_key
from sluice.arrivals import Arrival, KnownObject, Noticed
from sluice.manifest import RawObject, build_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_ledger.items import Item, Key
    from sluice.manifest import Manifest

_ARRIVED, _SEQUENCE = "ARRIVED", counter_key("arrivals")
_LOGS_AT_ONCE = 16
_LOOKED_BACK = 50
_FEW = 20


class DynamoArrivals(Store):
    def listing_digests(self, dataset: str) -> Mapping[str, str]:
        return {item["sk"]: item["digest"] for item in self._table.query(_digest_key(dataset, "")[0])}

    def known_objects(self, dataset: str, partition: str) -> tuple[KnownObject, ...]:
        last = self._last(dataset, partition)
        return () if last is None else _in_order(self._objects(last))

    def notice(
        self, manifest: Manifest, objects: tuple[KnownObject, ...], listing_digest: str, noticed_at: datetime
    ) -> Noticed:
        check_objects(manifest, objects)
        place = (manifest.dataset, manifest.partition)

        def work(draft: Draft) -> Noticed:
            status = read_status(draft, *place)  # before the log: nothing can be added to it now
            last = self._last(*place)
            if status.get("log") != (last or {}).get("sk"):
                raise Behind
            if last is not None and last["fingerprint"] == manifest.fingerprint:
                noticed = Noticed(last["sequence"], manifest, read_time(last["noticed_at"]))
            else:
                noticed = Noticed(_take_sequence(draft, noticed_at), manifest, noticed_at)
            entry = self._log(draft, noticed, last, objects)
            if entry["is_news"] and entry is not last:
                _put_arrived(draft, noticed, entry, last)
            put_status(draft, *place, log=entry["sk"], **_told(noticed))
            draft.put(_digest_key(*place), {"digest": listing_digest})
            return noticed

        return self._change(manifest.dataset, work)

    def latest(self, dataset: str, partition: str) -> Noticed | None:
        last = self._last(dataset, partition)
        return None if last is None else self._read_noticed(dataset, partition, last)

    def noticed_after(self, sequence: int) -> tuple[Noticed, ...]:
        # What has a number up to the counter's can be seen; of what comes while this reads, some would be missed.
        last = (self._table.get(_SEQUENCE) or {"last": 0})["last"]
        if last <= sequence:
            return ()
        found = list(self._table.query(_ARRIVED, between=(number(sequence + 1), number(last))))
        with ThreadPoolExecutor(min(_LOGS_AT_ONCE, max(len(found), 1))) as pool:
            return tuple(pool.map(self._arrived, found))

    def arrivals(self, dataset: str, partition: str) -> tuple[Arrival, ...]:
        entries = list(self._table.query(_pk(dataset, partition)))
        return tuple(
            Arrival(item["sequence"], item["fingerprint"], read_time(item["noticed_at"]))
            for item in entries
            if item["is_news"]
        )

    def manifest_at(self, dataset: str, partition: str, sequence: int) -> Manifest:
        entry = self._last(dataset, partition, sequence)
        return manifest_of(dataset, partition, () if entry is None else self._objects(entry).values())

    def _arrived(self, item: Item) -> Noticed:
        place, at = (item["dataset"], item["partition"]), read_time(item["noticed_at"])
        if "body" in item:
            objects = tuple(RawObject(*values) for values in self._table.body(item))
            return Noticed(int(item["sk"]), build_manifest(*place, objects), at)
        log = {"pk": _pk(*place), "base": item["base"], "sk": item["log"]}
        return Noticed(int(item["sk"]), manifest_of(*place, self._objects(log).values()), at)

    def _last(self, dataset: str, partition: str, sequence: int | None = None) -> dict[str, Any] | None:
        """Return the newest entry of the log, or the newest that is not above `sequence`."""
        page = 1 if sequence is None else _LOOKED_BACK
        newest = self._table.query(_pk(dataset, partition), newest_first=True, page=page)
        return next((item for item in newest if sequence is None or item["sequence"] <= sequence), None)

    def _objects(self, entry: Item) -> dict[str, KnownObject]:
        """Return the objects by key as they were with this entry."""
        found: dict[str, KnownObject] = {}
        for item in self._table.query(entry["pk"], between=(entry["base"], entry["sk"])):
            body = self._table.body(item)
            found = {key: known for key, known in found.items() if key not in body["gone"]}
            found |= {values[0]: KnownObject(*values) for values in body["put"]}
        return found

    def _read_noticed(self, dataset: str, partition: str, entry: Item) -> Noticed:
        manifest = manifest_of(dataset, partition, self._objects(entry).values())
        return Noticed(entry["sequence"], manifest, read_time(entry["noticed_at"]))

    def _log(self, draft: Draft, noticed: Noticed, last: Item | None, objects: Iterable[KnownObject]) -> Item:
        """Add an entry with what changed; with all there is, when the changes have come to half as much.

        Return the log's last entry.
        """
        before, after = {} if last is None else self._objects(last), {item.key: item for item in objects}
        put = [item for key, item in after.items() if before.get(key) != item]
        gone = sorted(before.keys() - after.keys())
        is_news = last is None or last["sequence"] != noticed.sequence
        if last is not None and not (put or gone or is_news):
            return last
        sk = number(1 if last is None else int(last["sk"]) + 1)
        changes = len(put) + len(gone) + (0 if last is None else last["changes"])
        is_whole = last is None or 2 * changes > len(after)
        entry = {
            "sequence": noticed.sequence,
            "fingerprint": noticed.manifest.fingerprint,
            "noticed_at": write_time(noticed.noticed_at),
            "is_news": is_news,
            "base": sk if last is None or is_whole else last["base"],
            "changes": 0 if is_whole else changes,
        }
        shown = _in_order(after) if is_whole else put
        written = [[item.key, item.size, item.stamp, item.etag] for item in shown]
        draft.add(
            (_pk(noticed.manifest.dataset, noticed.manifest.partition), sk),
            entry,
            body={"put": written, "gone": [] if is_whole else gone},
        )
        return {**entry, "sk": sk}


def _take_sequence(draft: Draft, noticed_at: datetime) -> int:
    # Read in the draft, so sequences become visible in their order: who has seen one has seen all below it. The one
    # before is read too, because its transaction must be to be seen in that item, not only in the counter.
    last = (draft.read(_SEQUENCE) or {"last": 0})["last"]
    if last and draft.read((_ARRIVED, number(last))) is None:
        raise Behind
    sequence = next_sequence(last, noticed_at)
    draft.put(_SEQUENCE, {"last": sequence})
    return sequence


def _put_arrived(draft: Draft, noticed: Noticed, entry: Item, last: Item | None) -> None:
    """Name the log's entry, and tell few objects at once: who asks what has arrived asks of many partitions."""
    manifest = noticed.manifest
    if last is not None:
        draft.delete((_ARRIVED, number(last["sequence"])))
    few = [[item.key, item.etag, item.size] for item in manifest.objects] if len(manifest.objects) <= _FEW else None
    named = {"base": entry["base"], "log": entry["sk"], "noticed_at": entry["noticed_at"]}
    place = {"dataset": manifest.dataset, "partition": manifest.partition}
    draft.add((_ARRIVED, number(noticed.sequence)), {**place, **named}, body=few)


def _told(noticed: Noticed) -> dict[str, Any]:
    return {
        "fingerprint": noticed.manifest.fingerprint,
        "sequence": noticed.sequence,
        "noticed_at": write_time(noticed.noticed_at),
        "objects": len(noticed.manifest.objects),
        "size_bytes": noticed.manifest.size_bytes,
    }


def _in_order(objects: Mapping[str, KnownObject]) -> tuple[KnownObject, ...]:
    return tuple(objects[key] for key in sorted(objects))


def _pk(dataset: str, partition: str) -> str:
    return f"ARRIVALS#{dataset}#{partition}"


def _digest_key(dataset: str, partition: str) -> Key:
    return f"DIGESTS#{dataset}", partition
