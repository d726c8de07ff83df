"""The tables of the SQL ledger. A change here needs a migration in `ledger_migrations/versions`."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

SCHEMA_VERSION = 6
"""The number of the newest migration."""


class Instant(sa.TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite has no zones, so it gets UTC without one; PostgreSQL answers in the session's."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Prose(sa.TypeDecorator[str]):
    """Text that may quote data: PostgreSQL takes no NUL, and no database takes half a surrogate pair."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


METADATA = sa.MetaData()
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up INTEGER keys only
_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # sorted as Python and SQLite sort

SCHEMA = sa.Table("ledger_schema", METADATA, sa.Column("version", sa.Integer, primary_key=True))

SEQUENCE = sa.Table("arrival_sequence", METADATA, sa.Column("last", sa.BigInteger, primary_key=True))

LOCKS = sa.Table("dataset_locks", METADATA, sa.Column("dataset", _WORD, primary_key=True))

ARRIVALS = sa.Table(
    "arrivals",
    METADATA,
    sa.Column("dataset", _WORD, primary_key=True),
    sa.Column("partition", _WORD, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("listing_digest", sa.Text, nullable=False),
    sa.Column("noticed_at", Instant, nullable=False),
)

OBJECTS = sa.Table(
    "objects",
    METADATA,
    sa.Column("dataset", _WORD, primary_key=True),
    sa.Column("partition", _WORD, primary_key=True),
    sa.Column("key", _WORD, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("stamp", sa.Text, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False, server_default="0"),  # the sequence from which on it was noticed
)

PAST_ARRIVALS = sa.Table(
    "past_arrivals",
    METADATA,
    sa.Column("dataset", _WORD, primary_key=True),
    sa.Column("partition", _WORD, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("noticed_at", Instant, nullable=False),
)

PAST_OBJECTS = sa.Table(
    "past_objects",
    METADATA,
    sa.Column("dataset", _WORD, primary_key=True),
    sa.Column("partition", _WORD, primary_key=True),
    sa.Column("key", _WORD, primary_key=True),
    sa.Column("since", sa.BigInteger, primary_key=True),
    sa.Column("until", sa.BigInteger, nullable=False),  # the sequence that no longer had it
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
)
"""What was overwritten or removed; what is there still has its own `since`, so that nothing is kept twice."""

CONTRACT_TEXTS = sa.Table(
    "contract_texts",
    METADATA,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("dataset", _WORD, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("text", Prose, nullable=False),
    sa.Column("transform_sql", Prose),
    sa.Column("used_since", Instant, nullable=False),
    sa.Index("contract_texts_of_dataset", "dataset", "id"),
)

PUBLICATIONS = sa.Table(
    "publications",
    METADATA,
    sa.Column("dataset", _WORD, primary_key=True),
    sa.Column("partition", _WORD, primary_key=True),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("snapshot_id", sa.BigInteger),
    sa.Column("published_at", Instant, nullable=False),
    sa.Column("version", sa.Text),
    sa.Index("published_versions", "dataset", "partition", "version"),  # found without reading long outcomes
)

FIRST_PUBLICATIONS = sa.Table(
    "first_publications",
    METADATA,
    sa.Column("dataset", _WORD, primary_key=True),
    sa.Column("partition", _WORD, primary_key=True),
    sa.Column("published_at", Instant, nullable=False),
)

ATTEMPTS = sa.Table(
    "attempts",
    METADATA,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("dataset", _WORD, nullable=False),
    sa.Column("partition", _WORD, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("error", Prose),
    sa.Column("failure_class", sa.Text),
    sa.Column("retry_after_seconds", sa.Double),
    sa.UniqueConstraint("dataset", "partition", "version", "number"),
    sa.UniqueConstraint("dataset", "partition", "version", "run_id"),
    sa.Index("attempts_of_partition", "dataset", "partition", "id"),
    sa.Index("attempts_by_end", "ended_at"),
    sa.Index("attempts_of_dataset_by_end", "dataset", "ended_at"),
)

VERDICTS = sa.Table(
    "verdicts",
    METADATA,
    sa.Column("dataset", _WORD, primary_key=True),
    sa.Column("partition", _WORD, primary_key=True),
    sa.Column("gate", _WORD, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("blocks", sa.Boolean, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("judged_at", Instant, nullable=False),
    sa.Index("verdicts_that_block", "blocks", "dataset", "partition"),
)

ACCEPTANCES = sa.Table(
    "acceptances",
    METADATA,
    sa.Column("number", _ID, primary_key=True, autoincrement=True),
    sa.Column("dataset", _WORD, nullable=False),
    sa.Column("partition", _WORD, nullable=False),
    sa.Column("gate", _WORD, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("numbers", sa.Text, nullable=False),
    sa.Column("why", Prose, nullable=False),
    sa.Column("accepted_by", Prose, nullable=False),
    sa.Column("accepted_at", Instant, nullable=False),
    sa.UniqueConstraint("dataset", "partition", "gate", "fingerprint"),
)

METRICS = sa.Table(
    "metrics",
    METADATA,
    sa.Column("dataset", _WORD, primary_key=True),
    sa.Column("partition", _WORD, primary_key=True),
    sa.Column("metric", _WORD, primary_key=True),
    sa.Column("value", sa.Double, nullable=False),
)

# Money is in billionths of a dollar: an S3 request costs 400 of them, and sums of integers are exact.
SPENDS = sa.Table(
    "spends",
    METADATA,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("dataset", _WORD, nullable=False),
    sa.Column("partition", _WORD, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("month", _WORD, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("estimated_seconds", sa.Double, nullable=False),
    sa.Column("bytes_in", sa.BigInteger, nullable=False),
    sa.Column("objects", sa.BigInteger, nullable=False),
    sa.Column("estimated_nanodollars", sa.BigInteger, nullable=False),
    sa.Column("basis", Prose, nullable=False),
    sa.Column("reserved_at", Instant, nullable=False),
    sa.Column("settled_at", Instant),
    sa.Column("actual_seconds", sa.Double),
    sa.Column("actual_nanodollars", sa.BigInteger),
    sa.Index("spends_of_month", "dataset", "month"),
    sa.Index("spends_of_partition", "dataset", "partition", "run_id"),
    sa.Index("spends_by_state", "state"),
)

INCIDENTS = sa.Table(
    "incidents",
    METADATA,
    sa.Column("number", _ID, primary_key=True, autoincrement=True),
    sa.Column("dataset", _WORD, nullable=False),
    sa.Column("partition", _WORD, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("failure_class", sa.Text, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("detected_at", Instant, nullable=False),
    sa.Column("evidence", Prose, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("downstream", sa.Text, nullable=False),
    sa.Column("resolved_at", Instant),
    sa.Column("resolved_by", Prose),
)
_IS_OPEN = INCIDENTS.c.resolved_at.is_(None)
sa.Index(
    "one_open_incident",
    INCIDENTS.c.dataset,
    INCIDENTS.c.partition,
    INCIDENTS.c.failure_class,
    unique=True,
    sqlite_where=_IS_OPEN,
    postgresql_where=_IS_OPEN,
)

REMEDIES = sa.Table(
    "remedies",
    METADATA,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("incident", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),  # "" is none: to a unique constraint no NULL equals another
    sa.Column("taken_at", Instant, nullable=False),
    sa.Column("note", Prose, nullable=False),
    sa.Column("nanodollars", sa.BigInteger),
    sa.UniqueConstraint("incident", "kind", "run_id"),
)

NOTICES = sa.Table(
    "notices",
    METADATA,
    sa.Column("key", _WORD, primary_key=True),
    sa.Column("noticed_at", Instant, nullable=False),
)

BACKFILLS = sa.Table(
    "backfills",
    METADATA,
    sa.Column("number", _ID, primary_key=True, autoincrement=True),
    sa.Column("plan_id", sa.Text, nullable=False, unique=True),
    sa.Column("plan", Prose, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("started_at", Instant),
    sa.Column("note", Prose, nullable=False),
)

_ALEMBIC = sa.MetaData()
ALEMBIC_VERSION = sa.Table(
    "alembic_version",
    _ALEMBIC,
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own table, as Alembic makes it: a new ledger gets it without importing Alembic."""


def create_tables(connection: sa.Connection) -> None:
    """Make every table, as the migrations would leave them."""
    METADATA.create_all(connection)
    _ALEMBIC.create_all(connection)
    connection.execute(sa.insert(SCHEMA).values(version=SCHEMA_VERSION))
    connection.execute(sa.insert(SEQUENCE).values(last=0))
    connection.execute(sa.insert(ALEMBIC_VERSION).values(version_num=f"{SCHEMA_VERSION:04}"))
