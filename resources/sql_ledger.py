"""The ledger in a SQL database: SQLite on a laptop; the statements are PostgreSQL's too."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from resources.arrival_order import check_objects, manifest_of, next_sequence
from resources.ledger import Attempt, KnownObject, Noticed, Published
from resources.ledger_schema import ARRIVALS, ATTEMPTS, OBJECTS, PUBLICATIONS, SEQUENCE, open_ledger
from sluice.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sluice.manifest import Manifest


class SqlLedger:
    """Several processes may write at once; each call is one short transaction.

    Constructing it makes or checks the tables; raises LedgerTooNew.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_ledger(url)

    def listing_digests(self, dataset: str) -> Mapping[str, str]:
        query = sa.select(ARRIVALS.c.partition, ARRIVALS.c.listing_digest).where(ARRIVALS.c.dataset == dataset)
        with self._engine.connect() as connection:
            return {row.partition: row.listing_digest for row in connection.execute(query)}

    def known_objects(self, dataset: str, partition: str) -> tuple[KnownObject, ...]:
        with self._engine.connect() as connection:
            return _known(connection, dataset, partition)

    def notice(
        self, manifest: Manifest, objects: tuple[KnownObject, ...], listing_digest: str, noticed_at: datetime
    ) -> Noticed:
        check_objects(manifest, objects)
        place = (manifest.dataset, manifest.partition)
        with self._writing() as connection:
            found = connection.execute(sa.select(ARRIVALS).where(*_at(ARRIVALS, *place))).one_or_none()
            if found is not None and found.fingerprint == manifest.fingerprint:
                noticed = Noticed(found.sequence, manifest, found.noticed_at)
            else:
                noticed = Noticed(_take_sequence(connection, noticed_at), manifest, noticed_at)
            _replace_objects(connection, place, objects)
            _replace_arrival(connection, noticed, listing_digest)
        return noticed

    def latest(self, dataset: str, partition: str) -> Noticed | None:
        return next(iter(self._noticed(*_at(ARRIVALS, dataset, partition))), None)

    def noticed_after(self, sequence: int) -> tuple[Noticed, ...]:
        return self._noticed(ARRIVALS.c.sequence > sequence)

    def record(self, published: Published) -> None:
        outcome = published.outcome
        with self._writing() as connection:
            connection.execute(sa.delete(PUBLICATIONS).where(*_at(PUBLICATIONS, outcome.dataset, outcome.partition)))
            connection.execute(
                sa.insert(PUBLICATIONS).values(
                    dataset=outcome.dataset,
                    partition=outcome.partition,
                    outcome=outcome.model_dump_json(),
                    snapshot_id=published.snapshot_id,
                    published_at=published.published_at,
                )
            )

    def published(self, dataset: str, partition: str) -> Published | None:
        return next(iter(self._publications(*_at(PUBLICATIONS, dataset, partition))), None)

    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]:
        return self._publications(PUBLICATIONS.c.dataset == dataset if dataset is not None else sa.true())

    def begin(self, dataset: str, partition: str, version: str, run_id: str, started_at: datetime) -> Attempt:
        same = (*_at(ATTEMPTS, dataset, partition), ATTEMPTS.c.version == version)
        with self._writing() as connection:
            found = connection.execute(sa.select(ATTEMPTS).where(*same, ATTEMPTS.c.run_id == run_id)).one_or_none()
            if found is not None:
                return _read_attempt(found)
            before = connection.execute(sa.select(sa.func.max(ATTEMPTS.c.number)).where(*same)).scalar()
            attempt = Attempt(dataset, partition, version, (before or 0) + 1, run_id, started_at)
            connection.execute(sa.insert(ATTEMPTS).values(**asdict(attempt)))
        return attempt

    def end(self, attempt: Attempt, ended_at: datetime, error: str | None) -> None:
        this = (
            *_at(ATTEMPTS, attempt.dataset, attempt.partition),
            ATTEMPTS.c.version == attempt.version,
            ATTEMPTS.c.number == attempt.number,
        )
        with self._writing() as connection:
            connection.execute(sa.update(ATTEMPTS).where(*this).values(ended_at=ended_at, error=error))

    def last_attempt(self, dataset: str, partition: str) -> Attempt | None:
        newest = sa.select(ATTEMPTS).where(*_at(ATTEMPTS, dataset, partition)).order_by(ATTEMPTS.c.id.desc()).limit(1)
        with self._engine.connect() as connection:
            found = connection.execute(newest).one_or_none()
        return None if found is None else _read_attempt(found)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """Begin a transaction that waits for other writers first; SQLite refuses to wait once it has read."""
        with self._engine.connect().execution_options(sluice_writes=True) as connection, connection.begin():
            yield connection

    def _noticed(self, condition: sa.ColumnElement[bool], *further: sa.ColumnElement[bool]) -> tuple[Noticed, ...]:
        place = (OBJECTS.c.dataset == ARRIVALS.c.dataset) & (OBJECTS.c.partition == ARRIVALS.c.partition)
        query = (
            sa.select(ARRIVALS, *(OBJECTS.c[name] for name in ("key", "size", "stamp", "etag")))
            .join_from(ARRIVALS, OBJECTS, place, isouter=True)
            .where(condition, *further)
            .order_by(ARRIVALS.c.sequence)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(_read_noticed(list(group)) for _, group in groupby(rows, key=attrgetter("sequence")))

    def _publications(self, *conditions: sa.ColumnElement[bool]) -> tuple[Published, ...]:
        query = sa.select(PUBLICATIONS).where(*conditions).order_by(PUBLICATIONS.c.dataset, PUBLICATIONS.c.partition)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Published(Outcome.model_validate_json(row.outcome), row.snapshot_id, row.published_at) for row in rows
        )


def _at(table: sa.Table, dataset: str, partition: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.c.dataset == dataset, table.c.partition == partition


def _take_sequence(connection: sa.Connection, noticed_at: datetime) -> int:
    # The counter's row stays locked to the end, so sequences become visible in their order: who has seen one has seen
    # all below it.
    last = connection.execute(sa.select(SEQUENCE.c.last).with_for_update()).scalar_one()
    sequence = next_sequence(last, noticed_at)
    connection.execute(sa.update(SEQUENCE).values(last=sequence))
    return sequence


def _known(connection: sa.Connection, dataset: str, partition: str) -> tuple[KnownObject, ...]:
    query = sa.select(OBJECTS).where(*_at(OBJECTS, dataset, partition)).order_by(OBJECTS.c.key)
    return tuple(_read_object(row) for row in connection.execute(query))


def _replace_objects(connection: sa.Connection, place: tuple[str, str], objects: Sequence[KnownObject]) -> None:
    """Bring the rows to `objects`, touching only those that differ: a partition can have many, and little news."""
    before = set(_known(connection, *place))
    gone, new = before.difference(objects), set(objects).difference(before)
    dataset, partition = place
    if gone:
        this = (*_at(OBJECTS, *place), OBJECTS.c.key == sa.bindparam("gone"))
        connection.execute(sa.delete(OBJECTS).where(*this), [{"gone": item.key} for item in gone])
    if new:
        connection.execute(
            sa.insert(OBJECTS), [{"dataset": dataset, "partition": partition, **asdict(item)} for item in new]
        )


def _replace_arrival(connection: sa.Connection, noticed: Noticed, listing_digest: str) -> None:
    manifest = noticed.manifest
    connection.execute(sa.delete(ARRIVALS).where(*_at(ARRIVALS, manifest.dataset, manifest.partition)))
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


def _read_attempt(row: sa.Row[Any]) -> Attempt:
    return Attempt(
        row.dataset,
        row.partition,
        row.version,
        row.number,
        row.run_id,
        row.started_at,
        row.ended_at,
        row.error,
    )
