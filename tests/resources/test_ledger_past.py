"""What every ledger remembers of what was: a partition's manifests, and contracts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from resources.arrival_order import manifest_of
from resources.ledger_migrations import migrate
from resources.sql_ledger import SqlLedger
from sluice.arrivals import KnownObject
from sluice.contract_text import ContractText

if TYPE_CHECKING:
    from pathlib import Path

    from resources.ledger import Ledger
    from sluice.arrivals import Noticed

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = "2026-11-20"
A, B = KnownObject("raw/orders/a", 10, "stamp-a", "etag-a"), KnownObject("raw/orders/b", 20, "stamp-b", "etag-b")
A_AGAIN = replace(A, size=11, stamp="stamp-a2", etag="etag-a2")


def notice(ledger: Ledger, minute: int, *objects: KnownObject, day: str = DAY) -> Noticed:
    now = NOON + timedelta(minutes=minute)
    return ledger.notice(manifest_of("orders", day, objects), objects, f"digest-{minute}", now)


def keys(ledger: Ledger, noticed: Noticed) -> list[tuple[str, str, int]]:
    manifest = ledger.manifest_at("orders", DAY, noticed.sequence)
    assert manifest == noticed.manifest
    return [(item.key, item.etag, item.size) for item in manifest.objects]


def test_every_manifest_of_a_partition_is_remembered_with_its_objects(ledger: Ledger) -> None:
    first = notice(ledger, 0, A)
    second = notice(ledger, 1, A, B)
    third = notice(ledger, 2, A_AGAIN, B)
    fourth = notice(ledger, 3, A_AGAIN)
    notice(ledger, 4, B, day="2026-11-19")

    assert [(item.sequence, item.fingerprint, item.noticed_at) for item in ledger.arrivals("orders", DAY)] == [
        (item.sequence, item.manifest.fingerprint, item.noticed_at) for item in (first, second, third, fourth)
    ]
    assert keys(ledger, first) == [("raw/orders/a", "etag-a", 10)]
    assert keys(ledger, second) == [("raw/orders/a", "etag-a", 10), ("raw/orders/b", "etag-b", 20)]
    assert keys(ledger, third) == [("raw/orders/a", "etag-a2", 11), ("raw/orders/b", "etag-b", 20)]
    assert keys(ledger, fourth) == [("raw/orders/a", "etag-a2", 11)]


def test_an_object_that_came_back_is_in_both_manifests(ledger: Ledger) -> None:
    first, between, third = notice(ledger, 0, A, B), notice(ledger, 1, B), notice(ledger, 2, A, B)
    gone_again = notice(ledger, 3, B)

    assert len(keys(ledger, first)) == len(keys(ledger, third)) == 2
    assert len(keys(ledger, between)) == len(keys(ledger, gone_again)) == 1


def test_an_object_that_was_only_touched_is_no_history(ledger: Ledger) -> None:
    first = notice(ledger, 0, A)
    notice(ledger, 1, replace(A, stamp="touched"))
    last = notice(ledger, 2, replace(A, stamp="touched again"), B)

    assert len(ledger.arrivals("orders", DAY)) == 2
    assert keys(ledger, first) == [("raw/orders/a", "etag-a", 10)]
    assert len(keys(ledger, last)) == 2


def test_a_partition_that_never_arrived_has_no_history(ledger: Ledger) -> None:
    assert ledger.arrivals("orders", DAY) == ()


def text(body: str, minute: int = 0, sql: str | None = None) -> ContractText:
    return ContractText("orders", "c" * 12, body, sql, NOON + timedelta(minutes=minute))


def test_a_contract_is_kept_when_it_changes_and_only_then(ledger: Ledger) -> None:
    ledger.keep_contract(text("title: one"))
    ledger.keep_contract(text("title: one", 1))
    ledger.keep_contract(text("title: two", 2))
    ledger.keep_contract(text("title: one", 3))
    ledger.keep_contract(text("title: one", 4, sql="select 1"))
    ledger.keep_contract(replace(text("other", 5), dataset="payments"))

    kept = ledger.contract_texts("orders")
    assert [(item.text, item.used_since.minute, item.transform_sql) for item in kept] == [
        ("title: one", 0, None),
        ("title: two", 2, None),
        ("title: one", 3, None),
        ("title: one", 4, "select 1"),
    ]


def test_a_ledger_from_before_history_was_kept_knows_what_it_had_when_it_was_upgraded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        migrate(connection, "0005")
        connection.execute(sa.text("UPDATE ledger_schema SET version = 5"))
        connection.execute(
            sa.text(
                f"INSERT INTO arrivals VALUES ('orders', '{DAY}', 7, 'old', 'digest', '2026-11-21 11:00:00.000000')"
            )
        )
        connection.execute(sa.text(f"INSERT INTO objects VALUES ('orders', '{DAY}', '{A.key}', 10, 's', 'etag-a')"))
    engine.dispose()

    ledger = SqlLedger(url)
    notice(ledger, 0, A_AGAIN)

    assert ledger.arrivals("orders", DAY)[0].fingerprint == "old"
    assert [item.etag for item in ledger.manifest_at("orders", DAY, 7).objects] == ["etag-a"]
