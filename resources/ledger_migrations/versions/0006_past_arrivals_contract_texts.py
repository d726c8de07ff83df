"""What partitions were made of before, and contracts as they were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Nothing is known of what was before: 0 stands for an object that was there in the oldest arrival that is known.
    op.add_column("objects", sa.Column("since", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "past_arrivals",
        sa.Column("dataset", _WORD, primary_key=True),
        sa.Column("partition", _WORD, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("noticed_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "past_objects",
        sa.Column("dataset", _WORD, primary_key=True),
        sa.Column("partition", _WORD, primary_key=True),
        sa.Column("key", _WORD, primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
    )
    op.create_table(
        "contract_texts",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("dataset", _WORD, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("transform_sql", sa.Text),
        sa.Column("used_since", _INSTANT, nullable=False),
    )
    op.create_index("contract_texts_of_dataset", "contract_texts", ["dataset", "id"])
