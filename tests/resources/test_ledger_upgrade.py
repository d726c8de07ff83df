"""What becomes of a ledger that an older Sluice has written."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from resources.ledger_migrations import head, migrate
from resources.ledger_schema import METADATA, SCHEMA_VERSION
from resources.sql_ledger import SqlLedger
from resources.sqlite_file import make_once
from sluice.outcome import ObjectBalance, Outcome, StagedFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Barrier

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 3
WAIT_SECONDS = 60

# Version 1 as SQLite has it; PostgreSQL came later.
TABLES_OF_VERSION_1 = """
CREATE TABLE ledger_schema (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE arrival_sequence (last BIGINT NOT NULL, PRIMARY KEY (last));
CREATE TABLE arrivals (dataset TEXT NOT NULL, partition TEXT NOT NULL, sequence BIGINT NOT NULL,
    fingerprint TEXT NOT NULL, listing_digest TEXT NOT NULL, noticed_at DATETIME NOT NULL,
    PRIMARY KEY (dataset, partition), UNIQUE (sequence));
CREATE TABLE objects (dataset TEXT NOT NULL, partition TEXT NOT NULL, "key" TEXT NOT NULL, size BIGINT NOT NULL,
    stamp TEXT NOT NULL, etag TEXT NOT NULL, PRIMARY KEY (dataset, partition, "key"));
CREATE TABLE publications (dataset TEXT NOT NULL, partition TEXT NOT NULL, outcome TEXT NOT NULL, snapshot_id BIGINT,
    published_at DATETIME NOT NULL, PRIMARY KEY (dataset, partition));
CREATE TABLE attempts (id INTEGER NOT NULL, dataset TEXT NOT NULL, partition TEXT NOT NULL, version TEXT NOT NULL,
    number INTEGER NOT NULL, run_id TEXT NOT NULL, started_at DATETIME NOT NULL, ended_at DATETIME, error TEXT,
    PRIMARY KEY (id), UNIQUE (dataset, partition, version, number), UNIQUE (dataset, partition, version, run_id));
CREATE INDEX attempts_of_partition ON attempts (dataset, partition, id);
INSERT INTO ledger_schema (version) VALUES (1);
INSERT INTO arrival_sequence (last) VALUES (0);
"""

ROWS_OF_VERSION_1 = """
UPDATE arrival_sequence SET last = 1795262400000;
INSERT INTO arrivals VALUES ('orders', '2026-11-20', 1795262400000, 'e2a3', 'digest', '2026-11-21 12:00:00.000000');
INSERT INTO objects VALUES ('orders', '2026-11-20', 'orders/a.csv', 10, 'stamp', 'etag');
INSERT INTO attempts (dataset, partition, version, number, run_id, started_at, ended_at, error)
    VALUES ('orders', '2026-11-20', 'v', 1, 'run', '2026-11-21 12:00:00.000000', NULL, 'it broke');
"""

PUBLICATION = sa.text(
    "INSERT INTO publications VALUES (:dataset, :partition, :outcome, 7, '2026-11-21 12:00:00.000000')"
)


ROWS_OF_VERSION_2 = """
UPDATE ledger_schema SET version = 2;
INSERT INTO attempts (dataset, partition, version, number, run_id, started_at, ended_at, error) VALUES
    ('orders', '2026-11-20', 'ffffffffffffffff-cccccccccccc-1', 1, 'run', '2026-11-21 12:00:00.000000',
    '2026-11-21 12:00:00.000000', 'killed after it was published');
INSERT INTO attempts (dataset, partition, version, number, run_id, started_at, ended_at, error) VALUES
    ('empty', '2026-11-20', 'ffffffffffffffff-cccccccccccc-2', 1, 'run', '2026-11-21 12:00:00.000000',
    '2026-11-21 12:00:00.000000', 'it broke');
"""


@pytest.fixture
def version_1_url(ledger_url: str) -> str:
    """Return the URL of a ledger of version 1 with one arrival, one attempt and two publications."""
    _make_version_1(ledger_url)
    return ledger_url


@pytest.fixture
def version_2_url(ledger_url: str) -> str:
    """Return the URL of a ledger of version 2 with two failed attempts, one of them at what is published."""
    _make_version_2(ledger_url)
    return ledger_url


def test_nothing_is_lost(version_1_url: str) -> None:
    ledger = SqlLedger(version_1_url)

    noticed = ledger.latest("orders", "2026-11-20")
    attempt = ledger.last_attempt("orders", "2026-11-20")
    assert noticed is not None
    assert (noticed.sequence, noticed.noticed_at) == (1795262400000, NOON)
    assert [item.key for item in ledger.known_objects("orders", "2026-11-20")] == ["orders/a.csv"]
    assert attempt is not None
    assert (attempt.number, attempt.error, attempt.started_at) == (1, "it broke", NOON)
    assert ledger.all_published("orders")[-1].outcome == _outcome("orders", "2026-11-20", 1000)


def test_what_is_published_gets_its_metrics_and_first_time(version_1_url: str) -> None:
    ledger = SqlLedger(version_1_url)

    assert ledger.first_published("orders") == {"2026-11-20": NOON}
    assert ledger.history("orders", "2026-11-30", 10) == {
        "bytes_in": (("2026-11-20", 4096.0),),
        "bytes_out": (("2026-11-20", 700.0),),
        "duplicate_share": (("2026-11-20", 0.02),),
        "rejected_share": (("2026-11-20", 0.1),),
        "row_count": (("2026-11-20", 880.0),),
        "seconds": (("2026-11-20", 1.5),),
    }


def test_a_partition_without_records_gets_no_shares(version_1_url: str) -> None:
    assert sorted(SqlLedger(version_1_url).history("empty", "2026-11-30", 10)) == [
        "bytes_in",
        "bytes_out",
        "row_count",
        "seconds",
    ]


def test_every_one_of_many_publications_gets_its_metrics(ledger_url: str) -> None:
    _make_version_1(ledger_url, many=1200)

    ledger = SqlLedger(ledger_url)

    assert len(ledger.history("many", "9999", 2000)["row_count"]) == 1200
    assert len(ledger.first_published("many")) == 1200


def test_what_is_published_gets_its_version(version_2_url: str) -> None:
    failed = SqlLedger(version_2_url).failed_attempts()

    assert [(attempt.dataset, attempt.error, attempt.failure_class) for attempt in failed] == [
        ("empty", "it broke", None)
    ]


def test_every_one_of_many_publications_gets_its_version(ledger_url: str) -> None:
    _make_version_2(ledger_url, many=1200)

    SqlLedger(ledger_url)

    with _connected(ledger_url) as connection:
        counted = connection.execute(sa.text("SELECT version, count(*) FROM publications GROUP BY version")).all()
    assert [tuple(row) for row in counted] == [("ffffffffffffffff-cccccccccccc-1", 1202)]


def test_a_ledger_of_version_2_has_the_tables_of_a_new_one_after_it_is_opened(version_2_url: str) -> None:
    SqlLedger(version_2_url)

    assert _differences(version_2_url) == []
    assert _versions(version_2_url) == (SCHEMA_VERSION, f"{SCHEMA_VERSION:04}")


def test_an_upgraded_ledger_works_on(version_1_url: str) -> None:
    ledger = SqlLedger(version_1_url)

    assert ledger.begin("orders", "2026-11-20", "v", "run-2", NOON).number == 2
    assert _versions(version_1_url) == (SCHEMA_VERSION, f"{SCHEMA_VERSION:04}")


def test_an_upgraded_ledger_has_the_tables_of_a_new_one(version_1_url: str) -> None:
    SqlLedger(version_1_url)

    assert _differences(version_1_url) == []


def test_a_new_ledger_is_at_the_newest_version(ledger_url: str) -> None:
    SqlLedger(ledger_url)

    assert _differences(ledger_url) == []
    assert _versions(ledger_url) == (SCHEMA_VERSION, f"{SCHEMA_VERSION:04}")


def test_the_migrations_from_the_first_on_make_what_a_new_ledger_has(ledger_url: str) -> None:
    with _connected(ledger_url) as connection:
        migrate(connection, "head")
        migrated = _shape(connection)
    with _connected(ledger_url) as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection)

        assert migrated == _shape(connection)


def test_the_version_is_that_of_the_newest_migration() -> None:
    assert head() == f"{SCHEMA_VERSION:04}"


def test_opening_a_ledger_that_is_new_or_up_to_date_does_not_import_alembic(ledger_url: str) -> None:
    opening = f"import sys; from resources.sql_ledger import SqlLedger; SqlLedger({ledger_url!r});"

    subprocess.run([sys.executable, "-c", f"{opening} assert 'alembic' not in sys.modules"], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "-c", f"{opening} assert 'alembic' not in sys.modules"], cwd=ROOT, check=True)


def test_processes_that_open_an_old_ledger_at_once_all_get_the_new_one(version_1_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    processes = [context.Process(target=_open, args=(version_1_url, barrier)) for _ in range(PROCESSES)]
    _run(processes)

    assert [process.exitcode for process in processes] == [0] * PROCESSES
    assert _versions(version_1_url) == (SCHEMA_VERSION, f"{SCHEMA_VERSION:04}")


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("CREATE TABLE alembic_version", id="before the first change"),
        pytest.param("CREATE TABLE spends", id="among the tables"),
        pytest.param("INSERT INTO metrics", id="among the rows"),
        pytest.param("UPDATE ledger_schema", id="before the end"),
    ],
)
def test_a_process_that_is_killed_while_it_upgrades_leaves_the_old_ledger(version_1_url: str, statement: str) -> None:
    with _connected(version_1_url) as connection:
        before = _shape(connection)

    process = multiprocessing.get_context("spawn").Process(target=_open_and_die, args=(version_1_url, statement))
    _run([process])

    assert process.exitcode == -signal.SIGKILL
    with _connected(version_1_url) as connection:
        assert _shape(connection) == before
    assert SqlLedger(version_1_url).first_published("orders") == {"2026-11-20": NOON}


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("ALTER TABLE publications", id="among the columns"),
        pytest.param("CREATE TABLE notices", id="among the tables"),
        pytest.param("UPDATE publications", id="among the rows"),
        pytest.param("UPDATE alembic_version", id="after the migration"),
        pytest.param("UPDATE ledger_schema", id="before the end"),
    ],
)
def test_a_process_that_is_killed_while_it_upgrades_leaves_version_2(version_2_url: str, statement: str) -> None:
    with _connected(version_2_url) as connection:
        before = _shape(connection)

    process = multiprocessing.get_context("spawn").Process(target=_open_and_die, args=(version_2_url, statement))
    _run([process])

    assert process.exitcode == -signal.SIGKILL
    assert _versions(version_2_url) == (2, "0002")
    with _connected(version_2_url) as connection:
        assert _shape(connection) == before
    assert len(SqlLedger(version_2_url).failed_attempts()) == 1


def _make_version_1(url: str, many: int = 0) -> None:
    if url.startswith("sqlite"):
        make_once(Path(url.removeprefix("sqlite:///")), _make_tables_of_version_1)
    else:
        with _connected(url) as connection:
            migrate(connection, "0001")
            _execute(connection, "DROP TABLE alembic_version")
    with _connected(url) as connection:
        _execute(connection, "SET TIME ZONE 'UTC'" if connection.dialect.name == "postgresql" else "SELECT 1")
        _execute(connection, ROWS_OF_VERSION_1)
        _publish(connection, many)


def _make_version_2(url: str, many: int = 0) -> None:
    if url.startswith("sqlite"):
        make_once(Path(url.removeprefix("sqlite:///")), _make_tables_of_version_2)
    else:
        with _connected(url) as connection:
            migrate(connection, "0002")
    with _connected(url) as connection:
        _execute(connection, ROWS_OF_VERSION_2)
        _publish(connection, many)


def _make_tables_of_version_2(database: Path) -> None:
    with _connected(f"sqlite:///{database}") as connection:
        migrate(connection, "0002")


def _publish(connection: sa.Connection, many: int) -> None:
    outcomes = [
        _outcome("orders", "2026-11-20", 1000),
        _outcome("empty", "2026-11-20", 0),
        *(_outcome("many", f"{number:04}", 10) for number in range(many)),
    ]
    rows = [{"dataset": o.dataset, "partition": o.partition, "outcome": o.model_dump_json()} for o in outcomes]
    connection.execute(PUBLICATION, rows)


def _make_tables_of_version_1(database: Path) -> None:
    with _connected(f"sqlite:///{database}") as connection:
        _execute(connection, TABLES_OF_VERSION_1)


def _execute(connection: sa.Connection, statements: str) -> None:
    for statement in statements.strip().removesuffix(";").split(";\n"):
        connection.execute(sa.text(statement))


def _outcome(dataset: str, partition: str, records: int) -> Outcome:
    quarantined, duplicates = records // 10, records // 50
    published = records - quarantined - duplicates
    balances = (
        ObjectBalance(
            key="a", etag="e", records_in=records, published=published, quarantined=quarantined, duplicates=duplicates
        ),
        ObjectBalance(key="b", etag="e", records_in=0, published=0, quarantined=0, duplicates=0),
    )
    return Outcome(
        dataset=dataset,
        partition=partition,
        fingerprint="f" * 16,
        contract_version="1.0.0",
        contract_fingerprint="c" * 12,
        code_version="1",
        run_id="run",
        objects=balances,
        files=tuple(StagedFile(key=key, records=published, size_bytes=350) for key in "ab"),
        quarantine_files=(),
        bytes_in=4096,
        seconds=1.5,
    )


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _versions(url: str) -> tuple[int, str]:
    with _connected(url) as connection:
        number = connection.execute(sa.text("SELECT version FROM ledger_schema")).scalar_one()
        return number, connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()


def _differences(url: str) -> list[Any]:
    with _connected(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))


def _shape(connection: sa.Connection) -> dict[str, Any]:
    """Return what the database says of its tables: all that a migration could have made differently."""
    inspector = sa.inspect(connection)
    return {
        table: (
            [(column["name"], repr(column["type"]), column["nullable"]) for column in inspector.get_columns(table)],
            inspector.get_pk_constraint(table)["constrained_columns"],
            sorted(tuple(unique["column_names"]) for unique in inspector.get_unique_constraints(table)),
            sorted(_shape_of_index(index) for index in inspector.get_indexes(table)),
        )
        for table in sorted(inspector.get_table_names())
    }


def _shape_of_index(index: Any) -> tuple[str, tuple[str, ...], bool, list[str]]:
    conditions = [str(value) for key, value in index.get("dialect_options", {}).items() if key.endswith("_where")]
    return index["name"], tuple(index["column_names"]), bool(index["unique"]), conditions


def _run(processes: list[Any]) -> None:
    for process in processes:
        process.start()
    for process in processes:
        process.join(WAIT_SECONDS)


def _open(url: str, barrier: Barrier) -> None:
    barrier.wait(WAIT_SECONDS)
    assert SqlLedger(url).first_published("orders") == {"2026-11-20": NOON}


def _open_and_die(url: str, statement: str) -> None:
    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def die(_: Any, __: Any, text: str, *___: Any) -> None:
        if text.strip().startswith(statement):
            os.kill(os.getpid(), signal.SIGKILL)

    SqlLedger(url)
