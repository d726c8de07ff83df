"""What is stored can be loaded by Great Expectations, and becomes its Data Docs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from resources.great_expectations_engine import build_data_docs, load_suite, load_validation
from sluice.expectations.expectation import Expectation, Importance
from sluice.expectations.results import Result
from sluice.expectations.stored import suite_text, validation_text

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow  # the library takes seconds to import

BETWEEN = Expectation(
    "expect_column_values_to_be_between",
    '{"column": "amount", "min_value": 0, "mostly": 0.99}',
    "Amounts are not negative",
    Importance.WARNING,
    "Refunds are in another table.",
)
ROWS = Expectation(
    "unexpected_rows_expectation",
    '{"unexpected_rows_query": "SELECT * FROM {batch} WHERE code = \'{{x}}\'"}',
    "Codes are real",
)
EXPECTATIONS = (BETWEEN, ROWS)
COUNTS = {
    "element_count": 10,
    "unexpected_count": 2,
    "unexpected_percent": 20.0,
    "partial_unexpected_list": [-1.0, -2.5],
    "missing_count": 0,
    "missing_percent": 0.0,
    "unexpected_percent_total": 20.0,
    "unexpected_percent_nonmissing": 20.0,
}
RESULTS = (
    Result(BETWEEN, success=False, failing=2, observed=json.dumps(COUNTS)),
    Result(ROWS, success=False, failing=None, observed="{}", error="it broke"),
)
SUITE = suite_text("orders", EXPECTATIONS)


def validation(partition: str) -> str:
    return validation_text("orders", partition, f"v-{partition}", datetime(2026, 11, 3, tzinfo=UTC), RESULTS)


def test_the_suite_is_one_of_great_expectations() -> None:
    suite = load_suite(SUITE)

    loaded = [(item.expectation_type, item.severity, item.description) for item in suite.expectations]
    assert (suite.name, loaded) == (
        "orders",
        [
            (BETWEEN.type, "warning", "Refunds are in another table."),
            (ROWS.type, "critical", None),
        ],
    )


def test_the_validation_is_one_of_great_expectations() -> None:
    loaded = load_validation(validation("2026-11-01"))

    assert (loaded.success, loaded.statistics["unsuccessful_expectations"]) == (False, 2)
    assert loaded.results[0].result["unexpected_count"] == 2
    assert loaded.results[1].exception_info["exception_message"] == "it broke"


def test_data_docs_have_a_page_for_each_suite_and_validation(tmp_path: Path) -> None:
    index = build_data_docs([(SUITE, validation(date)) for date in ("2026-11-01", "2026-11-02")], tmp_path / "docs")

    pages = {path.name for path in (tmp_path / "docs").rglob("*.html")}
    assert pages == {
        "index.html",
        "orders.html",
        "2026-11-01-v-2026-11-01.html",
        "2026-11-02-v-2026-11-02.html",
    }
    assert "orders" in index.read_text()
    (page,) = (tmp_path / "docs").rglob("2026-11-01-v-2026-11-01.html")
    assert "2 unexpected values found" in page.read_text()


def test_data_docs_can_be_built_again(tmp_path: Path) -> None:
    build_data_docs([(SUITE, validation("2026-11-01"))], tmp_path)

    build_data_docs([(SUITE, validation("2026-11-02"))], tmp_path)

    assert [path.name for path in tmp_path.glob("validations/**/*.html")] == ["2026-11-02-v-2026-11-02.html"]
