"""Arrivals in SQL."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from resources.arrival_order import check_objects, manifest_of, next_sequence
from resources.ledger_schema import ARRIVALS, OBJECTS, PAST_ARRIVALS, PAST_OBJECTS, SEQUENCE
from resources.sql_ledger.database import Database, at
from sluice.arrivals import Arrival, KnownObject, Noticed
from sluice.manifest import RawObject, build_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sluice.manifest import Manifest


class SqlArrivals(Database):
    def listing_digests(self, dataset: str) -> Mapping[str, str]:
        query = sa.select(ARRIVALS.c.partition, ARRIVALS.c.listing_digest).where(ARRIVALS.c.dataset == dataset)
        with self._reading() as connection:
            return {row.partition: row.listing_digest for row in connection.execute(query)}

    def known_objects(self, dataset: str, partition: str) -> tuple[KnownObject, ...]:
        with self._reading() as connection:
            return _known(connection, dataset, partition)

    def notice(
        self, manifest: Manifest, objects: tuple[KnownObject, ...], listing_digest: str, noticed_at: datetime
    ) -> Noticed:
        check_objects(manifest, objects)
        place = (manifest.dataset, manifest.partition)
        with self._writing(manifest.dataset) as connection:
            found = connection.execute(sa.select(ARRIVALS).where(*at(ARRIVALS, *place))).one_or_none()
            if found is not None and found.fingerprint == manifest.fingerprint:
                noticed = Noticed(found.sequence, manifest, found.noticed_at)
            else:
                noticed = Noticed(_take_sequence(connection, noticed_at), manifest, noticed_at)
                _keep_arrival(connection, place)
            _replace_objects(connection, place, objects, noticed.sequence)
            _replace_arrival(connection, noticed, listing_digest)
        return noticed

    def latest(self, dataset: str, partition: str) -> Noticed | None:
        return next(iter(self._noticed(*at(ARRIVALS, dataset, partition))), None)

    def noticed_after(self, sequence: int) -> tuple[Noticed, ...]:
        return self._noticed(ARRIVALS.c.sequence > sequence)

    def arrivals(self, dataset: str, partition: str) -> tuple[Arrival, ...]:
        present, past = (
            sa.select(table.c.sequence, table.c.fingerprint, table.c.noticed_at).where(*at(table, dataset, partition))
            for table in (ARRIVALS, PAST_ARRIVALS)
        )
        query = sa.union_all(past, present).order_by("sequence")
        with self._reading() as connection:
            return tuple(Arrival(row.sequence, row.fingerprint, row.noticed_at) for row in connection.execute(query))

    def manifest_at(self, dataset: str, partition: str, sequence: int) -> Manifest:
        names = ("key", "etag", "size")
        present = sa.select(*(OBJECTS.c[name] for name in names)).where(
            *at(OBJECTS, dataset, partition), OBJECTS.c.since <= sequence
        )
        past = sa.select(*(PAST_OBJECTS.c[name] for name in names)).where(
            *at(PAST_OBJECTS, dataset, partition), PAST_OBJECTS.c.since <= sequence, PAST_OBJECTS.c.until > sequence
        )
        with self._reading() as connection:
            found = connection.execute(sa.union_all(past, present)).all()
        return build_manifest(dataset, partition, tuple(RawObject(row.key, row.etag, row.size) for row in found))

    def _noticed(self, condition: sa.ColumnElement[bool], *further: sa.ColumnElement[bool]) -> tuple[Noticed, ...]:
        place = (OBJECTS.c.dataset == ARRIVALS.c.dataset) & (OBJECTS.c.partition == ARRIVALS.c.partition)
        query = (
            sa.select(ARRIVALS, *(OBJECTS.c[name] for name in ("key", "size", "stamp", "etag")))
            .join_from(ARRIVALS, OBJECTS, place, isouter=True)
            .where(condition, *further)
            .order_by(ARRIVALS.c.sequence)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return tuple(_read_noticed(list(group)) for _, group in groupby(rows, key=attrgetter("sequence")))


def _take_sequence(connection: sa.Connection, noticed_at: datetime) -> int:
    # The counter's row stays locked to the end, so sequences become visible in their order: who has seen one has seen
    # all below it.
    last = connection.execute(sa.select(SEQUENCE.c.last).with_for_update()).scalar_one()
    sequence = next_sequence(last, noticed_at)
    connection.execute(sa.update(SEQUENCE).values(last=sequence))
    return sequence


def _known(connection: sa.Connection, dataset: str, partition: str) -> tuple[KnownObject, ...]:
    query = sa.select(OBJECTS).where(*at(OBJECTS, dataset, partition)).order_by(OBJECTS.c.key)
    return tuple(_read_object(row) for row in connection.execute(query))


def _keep_arrival(connection: sa.Connection, place: tuple[str, str]) -> None:
    """Copy the partition's present arrival to the past ones; it is replaced next."""
    names = ("dataset", "partition", "sequence", "fingerprint", "noticed_at")
    present = sa.select(*(ARRIVALS.c[name] for name in names)).where(*at(ARRIVALS, *place))
    connection.execute(sa.insert(PAST_ARRIVALS).from_select(names, present))


def _replace_objects(
    connection: sa.Connection, place: tuple[str, str], objects: Sequence[KnownObject], sequence: int
) -> None:
    """Bring the rows to `objects`, touching only those that differ: a partition can have many, and little news.

    What is overwritten or gone moves to the past. One that was only touched stays what it was.
    """
    rows = connection.execute(sa.select(OBJECTS).where(*at(OBJECTS, *place))).all()
    before = {_read_object(row): row.since for row in rows}
    gone, new = before.keys() - set(objects), set(objects) - before.keys()
    same = {(item.key, item.etag): before[item] for item in gone}  # bytes that stay although their stamp changed
    dataset, partition = place
    if gone:
        this = (*at(OBJECTS, *place), OBJECTS.c.key == sa.bindparam("gone"))
        connection.execute(sa.delete(OBJECTS).where(*this), [{"gone": item.key} for item in gone])
    staying = {(item.key, item.etag) for item in new}
    if past := [item for item in gone if (item.key, item.etag) not in staying]:
        connection.execute(
            sa.insert(PAST_OBJECTS),
            [
                {
                    "dataset": dataset,
                    "partition": partition,
                    "key": item.key,
                    "since": before[item],
                    "until": sequence,
                    "size": item.size,
                    "etag": item.etag,
                }
                for item in past
            ],
        )
    if new:
        connection.execute(
            sa.insert(OBJECTS),
            [
                {
                    "dataset": dataset,
                    "partition": partition,
                    **asdict(item),
                    "since": same.get((item.key, item.etag), sequence),
                }
                for item in new
            ],
        )


def _replace_arrival(connection: sa.Connection, noticed: Noticed, listing_digest: str) -> None:
    manifest = noticed.manifest
    connection.execute(sa.delete(ARRIVALS).where(*at(ARRIVALS, manifest.dataset, manifest.partition)))
    connection.execute(
        sa.insert(ARRIVALS).values(
            dataset=manifest.dataset,
            partition=manifest.partition,
            sequence=noticed.sequence,
            fingerprint=manifest.fingerprint,
            listing_digest=listing_digest,
            noticed_at=noticed.noticed_at,
        )
    )


def _read_object(row: sa.Row[Any]) -> KnownObject:
    return KnownObject(row.key, row.size, row.stamp, row.etag)


def _read_noticed(rows: Sequence[sa.Row[Any]]) -> Noticed:
    first = rows[0]
    manifest = manifest_of(first.dataset, first.partition, [_read_object(row) for row in rows if row.key is not None])
    return Noticed(first.sequence, manifest, first.noticed_at)
