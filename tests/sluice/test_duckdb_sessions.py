"""One database that many builds share is to each of them like one of its own."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import duckdb
import pytest

from sluice.duckdb_sessions import Limits, SharedDatabase, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPORARY = "CREATE TEMP TABLE parsed AS SELECT 1 AS n; CREATE TEMP VIEW staged AS FROM parsed"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[SharedDatabase]:
    with SharedDatabase(tmp_path, Limits(memory_bytes=50_000_000, threads=1)) as database:
        yield database


def settings(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    names = ("TimeZone", "memory_limit", "threads", "temp_directory", "preserve_insertion_order")
    listed = ", ".join(f"current_setting('{name}')" for name in names)
    return tuple(map(str, connection.execute(f"SELECT {listed}").fetchall()[0]))


def test_a_session_has_the_settings_of_a_database_of_its_own(shared: SharedDatabase, tmp_path: Path) -> None:
    limits = Limits(memory_bytes=50_000_000, threads=1)

    with closing(shared.connect(None, Limits())) as session, closing(connect(tmp_path, limits)) as alone:
        assert settings(session) == settings(alone)


def test_a_session_sees_nothing_of_the_one_before(shared: SharedDatabase) -> None:
    with closing(shared.connect(None, Limits())) as first:
        first.execute(TEMPORARY)

    with closing(shared.connect(None, Limits())) as second:
        assert second.execute("FROM duckdb_tables()").fetchall() == []
        assert second.execute("SELECT * FROM duckdb_views() WHERE NOT internal").fetchall() == []
        second.execute(TEMPORARY)


def test_a_session_that_failed_leaves_the_next_one_alone(shared: SharedDatabase) -> None:
    with pytest.raises(duckdb.ConversionException), closing(shared.connect(None, Limits())) as first:
        first.execute(f"{TEMPORARY}; BEGIN; SELECT CAST('x' AS INTEGER)")

    with closing(shared.connect(None, Limits())) as second:
        second.execute(TEMPORARY)
        assert second.execute("SELECT n FROM staged").fetchall() == [(1,)]


def test_what_a_session_spilled_is_gone_with_it(shared: SharedDatabase, tmp_path: Path) -> None:
    with closing(shared.connect(None, Limits())) as session:
        session.execute("CREATE TEMP TABLE large AS SELECT range AS n, hash(range)::VARCHAR AS t FROM range(4_000_000)")
        assert spilled_bytes(tmp_path) > 1_000_000

    assert spilled_bytes(tmp_path) == 0


def spilled_bytes(workspace: Path) -> int:
    return sum(file.stat().st_size for file in (workspace / "spill").iterdir())
