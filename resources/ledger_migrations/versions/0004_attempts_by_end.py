"""What the other side asked to wait; attempts found by their end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("attempts", sa.Column("retry_after_seconds", sa.Double))
    op.create_index("attempts_by_end", "attempts", ["ended_at"])
    op.create_index("attempts_of_dataset_by_end", "attempts", ["dataset", "ended_at"])
