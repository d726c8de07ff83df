"""Incidents, remedies, notices; what class of failure ended an attempt; which version is published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Iterator

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.DateTime(timezone=True)
_AT_ONCE = 500


def upgrade() -> None:
    op.add_column("attempts", sa.Column("failure_class", sa.Text))
    op.add_column("publications", sa.Column("version", sa.Text))
    _create_incidents()
    _create_notices()
    _fill_versions()
    op.create_index("published_versions", "publications", ["dataset", "partition", "version"])


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("number", _ID, primary_key=True, autoincrement=True),
        sa.Column("dataset", _WORD, nullable=False),
        sa.Column("partition", _WORD, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("failure_class", sa.Text, nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("detected_at", _INSTANT, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("downstream", sa.Text, nullable=False),
        sa.Column("resolved_at", _INSTANT),
        sa.Column("resolved_by", sa.Text),
    )
    is_open = sa.text("resolved_at IS NULL")
    op.create_index(
        "one_open_incident",
        "incidents",
        ["dataset", "partition", "failure_class"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "remedies",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("incident", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("taken_at", _INSTANT, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("nanodollars", sa.BigInteger),
        sa.UniqueConstraint("incident", "kind", "run_id"),
    )


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("key", _WORD, primary_key=True),
        sa.Column("noticed_at", _INSTANT, nullable=False),
    )


def _fill_versions() -> None:
    table = sa.table("publications", *(sa.column(name) for name in ("dataset", "partition", "version")))
    this = (table.c.dataset == sa.bindparam("of_dataset"), table.c.partition == sa.bindparam("of_partition"))
    fill = sa.update(table).where(*this).values(version=sa.bindparam("new"))
    connection = op.get_bind()
    for rows in _pages(connection):
        connection.execute(
            fill,
            [
                {"of_dataset": row.dataset, "of_partition": row.partition, "new": _version(json.loads(row.outcome))}
                for row in rows
            ],
        )


def _pages(connection: sa.Connection) -> Iterator[list[sa.Row[Any]]]:
    """Outcomes can be long, so they come some at a time, by their key."""
    table = sa.table("publications", sa.column("dataset"), sa.column("partition"), sa.column("outcome"))
    place = sa.tuple_(table.c.dataset, table.c.partition)
    page = sa.select(table).order_by(table.c.dataset, table.c.partition).limit(_AT_ONCE)
    rows = list(connection.execute(page))
    while rows:
        yield rows
        rows = list(connection.execute(page.where(place > (rows[-1].dataset, rows[-1].partition))))


def _version(outcome: dict[str, Any]) -> str:
    return "-".join((outcome["fingerprint"], outcome["contract_fingerprint"], outcome["code_version"]))
