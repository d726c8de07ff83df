"""The first ledger: arrivals, publications, attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table("ledger_schema", sa.Column("version", sa.Integer, primary_key=True))
    op.create_table("arrival_sequence", sa.Column("last", sa.BigInteger, primary_key=True))
    op.create_table(
        "arrivals",
        sa.Column("dataset", _WORD, primary_key=True),
        sa.Column("partition", _WORD, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("listing_digest", sa.Text, nullable=False),
        sa.Column("noticed_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "objects",
        sa.Column("dataset", _WORD, primary_key=True),
        sa.Column("partition", _WORD, primary_key=True),
        sa.Column("key", _WORD, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("stamp", sa.Text, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
    )
    op.create_table(
        "publications",
        sa.Column("dataset", _WORD, primary_key=True),
        sa.Column("partition", _WORD, primary_key=True),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("snapshot_id", sa.BigInteger),
        sa.Column("published_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "attempts",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("dataset", _WORD, nullable=False),
        sa.Column("partition", _WORD, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("error", sa.Text),
        sa.UniqueConstraint("dataset", "partition", "version", "number"),
        sa.UniqueConstraint("dataset", "partition", "version", "run_id"),
    )
    op.create_index("attempts_of_partition", "attempts", ["dataset", "partition", "id"])
    op.execute("INSERT INTO ledger_schema (version) VALUES (1)")
    op.execute("INSERT INTO arrival_sequence (last) VALUES (0)")
