"""Verdicts, acceptances, metrics and money; the metrics of what is published already are taken from its outcomes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Iterator

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.DateTime(timezone=True)
_AT_ONCE = 500


def upgrade() -> None:
    _create_publication_tables()
    _create_judgement_tables()
    _create_spends()
    _fill_first_publications()
    _fill_metrics()


def _create_publication_tables() -> None:
    op.create_table("dataset_locks", sa.Column("dataset", _WORD, primary_key=True))
    op.create_table(
        "first_publications",
        sa.Column("dataset", _WORD, primary_key=True),
        sa.Column("partition", _WORD, primary_key=True),
        sa.Column("published_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "metrics",
        sa.Column("dataset", _WORD, primary_key=True),
        sa.Column("partition", _WORD, primary_key=True),
        sa.Column("metric", _WORD, primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
    )


def _create_judgement_tables() -> None:
    op.create_table(
        "verdicts",
        sa.Column("dataset", _WORD, primary_key=True),
        sa.Column("partition", _WORD, primary_key=True),
        sa.Column("gate", _WORD, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("blocks", sa.Boolean, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("judged_at", _INSTANT, nullable=False),
    )
    op.create_index("verdicts_that_block", "verdicts", ["blocks", "dataset", "partition"])
    op.create_table(
        "acceptances",
        sa.Column("number", _ID, primary_key=True, autoincrement=True),
        sa.Column("dataset", _WORD, nullable=False),
        sa.Column("partition", _WORD, nullable=False),
        sa.Column("gate", _WORD, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("numbers", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("accepted_by", sa.Text, nullable=False),
        sa.Column("accepted_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("dataset", "partition", "gate", "fingerprint"),
    )


def _create_spends() -> None:
    op.create_table(
        "spends",
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
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("reserved_at", _INSTANT, nullable=False),
        sa.Column("settled_at", _INSTANT),
        sa.Column("actual_seconds", sa.Double),
        sa.Column("actual_nanodollars", sa.BigInteger),
    )
    op.create_index("spends_of_month", "spends", ["dataset", "month"])
    op.create_index("spends_of_partition", "spends", ["dataset", "partition", "run_id"])
    op.create_index("spends_by_state", "spends", ["state"])


def _fill_first_publications() -> None:
    # What is published now is the first that is known.
    op.execute(
        "INSERT INTO first_publications (dataset, partition, published_at)"
        " SELECT dataset, partition, published_at FROM publications"
    )


def _fill_metrics() -> None:
    metrics = sa.table("metrics", *(sa.column(name) for name in ("dataset", "partition", "metric", "value")))
    connection = op.get_bind()
    for rows in _pages(connection):
        measured = [
            {"dataset": row.dataset, "partition": row.partition, "metric": name, "value": float(value)}
            for row in rows
            for name, value in _measure(json.loads(row.outcome)).items()
        ]
        connection.execute(sa.insert(metrics), measured)


def _pages(connection: sa.Connection) -> Iterator[list[sa.Row[Any]]]:
    """Outcomes can be long, so they come some at a time, by their key."""
    table = sa.table("publications", sa.column("dataset"), sa.column("partition"), sa.column("outcome"))
    place = sa.tuple_(table.c.dataset, table.c.partition)
    page = sa.select(table).order_by(table.c.dataset, table.c.partition).limit(_AT_ONCE)
    rows = list(connection.execute(page))
    while rows:
        yield rows
        rows = list(connection.execute(page.where(place > (rows[-1].dataset, rows[-1].partition))))


def _measure(outcome: dict[str, Any]) -> dict[str, float]:
    objects = outcome["objects"]
    records_in = sum(item["records_in"] for item in objects)
    shares = {
        "rejected_share": sum(item["quarantined"] for item in objects),
        "duplicate_share": sum(item["duplicates"] for item in objects),
    }
    return {
        "row_count": sum(item["published"] for item in objects),
        "bytes_in": outcome.get("bytes_in", 0),
        "bytes_out": sum(item["size_bytes"] for item in outcome["files"]),
        "seconds": outcome.get("seconds", 0.0),
    } | ({name: count / records_in for name, count in shares.items()} if records_in else {})
