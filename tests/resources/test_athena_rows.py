"""Athena's text, read as what it stands for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from resources.athena_rows import rows_of

NAIVE = datetime(2026, 11, 20, 10, 0, 0, 123456)  # noqa: DTZ001  Hive's timestamps have no zone


def page(kind: str, *texts: str | None, scale: int = 0) -> dict[str, object]:
    rows = [{"Data": [{} if text is None else {"VarCharValue": text}]} for text in texts]
    return {"ResultSetMetadata": {"ColumnInfo": [{"Name": "a", "Type": kind, "Scale": scale}]}, "Rows": rows}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        pytest.param("boolean", "true", True, id="true"),
        pytest.param("boolean", "false", False, id="false"),
        pytest.param("integer", "-7", -7, id="integer"),
        pytest.param("bigint", "9223372036854775807", 2**63 - 1, id="bigint"),
        pytest.param("double", "1.5E10", 1.5e10, id="double"),
        pytest.param(
            "decimal", "12345678901234567890.123456789", Decimal("12345678901234567890.123456789"), id="decimal"
        ),
        pytest.param("date", "2026-11-20", date(2026, 11, 20), id="date"),
        pytest.param("timestamp", "2026-11-20 10:00:00.123456", NAIVE, id="timestamp"),
        pytest.param(
            "timestamp with time zone",
            "2026-11-20 10:00:00.000 UTC",
            datetime(2026, 11, 20, 10, tzinfo=UTC),
            id="instant",
        ),
        pytest.param(
            "timestamp with time zone",
            "2026-11-20 10:00:00.000 Europe/Berlin",
            datetime(2026, 11, 20, 9, tzinfo=UTC),
            id="instant of a zone",
        ),
        pytest.param(
            "timestamp with time zone",
            "2026-11-20 10:00:00.000 +02:00",
            datetime(2026, 11, 20, 8, tzinfo=UTC),
            id="instant with an offset",
        ),
        pytest.param("varchar", "", "", id="empty text"),
        pytest.param("array", "[1, 2]", "[1, 2]", id="array"),
    ],
)
def test_a_value_is_what_it_says(kind: str, text: str, value: object) -> None:
    assert rows_of([page(kind, text)], has_header=False).to_pydict() == {"a": [value]}


@pytest.mark.parametrize("kind", ["boolean", "bigint", "decimal", "timestamp", "varchar"])
def test_what_is_missing_is_null(kind: str) -> None:
    assert rows_of([page(kind, None)], has_header=False).to_pydict() == {"a": [None]}


def test_only_the_first_page_has_a_header() -> None:
    pages = [page("varchar", "a", "one"), page("varchar", "a", "two")]

    assert rows_of(pages, has_header=True).to_pydict() == {"a": ["one", "a", "two"]}


def test_no_rows_have_columns_all_the_same() -> None:
    assert rows_of([page("bigint", "a")], has_header=True).to_pydict() == {"a": []}


def test_two_columns_may_have_one_name() -> None:
    column = {"Name": "a", "Type": "bigint"}
    row = {"Data": [{"VarCharValue": "1"}, {"VarCharValue": "2"}]}

    rows = rows_of([{"ResultSetMetadata": {"ColumnInfo": [column, column]}, "Rows": [row]}], has_header=False)

    assert [item.to_pylist() for item in rows.columns] == [[1], [2]]
