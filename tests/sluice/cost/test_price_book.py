"""A price book is read whole, or refused with the line that is wrong."""

from __future__ import annotations

from datetime import date

import pytest

from sluice.cost.price_book import parse, unknown_regions
from sluice.errors import PriceBookInvalid, RegionUnpriced
from tests.sluice.cost.prices import BOOK, BOOK_TEXT, contract_with


def refusal(text: str) -> PriceBookInvalid:
    with pytest.raises(PriceBookInvalid) as refused:
        parse(text, "prices.yaml")
    return refused.value


def test_a_book_has_its_date_source_and_prices() -> None:
    assert BOOK.as_of == date(2026, 3, 31)
    assert BOOK.source == "made up"
    assert BOOK.region("us-east-1").glue.usd_per_dpu_hour == 18


@pytest.mark.parametrize(
    ("right", "wrong", "line", "field", "problem"),
    [
        pytest.param(
            "glue: {usd_per_dpu_hour: 18}", "glue: {}", 11, "glue.usd_per_dpu_hour", "is missing", id="missing"
        ),
        pytest.param("usd_per_tb: 5", "usd_per_gb: 5", 12, "athena.usd_per_tb", "is missing", id="other name"),
        pytest.param("{usd_per_tb: 5}", "{usd_per_tb: 5, tax: 1}", 12, "athena.tax", "is not a field", id="unknown"),
        pytest.param("usd_per_tb: 5", "usd_per_tb: -5", 12, "athena.usd_per_tb", "greater than", id="negative"),
        pytest.param("usd_per_tb: 5", "usd_per_tb: five", 12, "athena.usd_per_tb", "write a number", id="text"),
        pytest.param("usd_per_tb: 5", "usd_per_tb: true", 12, "athena.usd_per_tb", "write a number", id="boolean"),
        pytest.param("usd_per_tb: 5", "usd_per_tb: .inf", 12, "athena.usd_per_tb", "can be read", id="infinite"),
        pytest.param("vcpu: 2", "vcpu: 0", 5, "fargate.vcpu", "greater than 0", id="no cores"),
        pytest.param("2026-03-31", "last spring", 1, "as_of", "write a date", id="no date"),
        pytest.param("2026-03-31", "20260331", 1, "as_of", "write a date", id="a number for a date"),
        pytest.param("as_of: 2026-03-31\n", "", 1, "as_of", "is missing", id="no as_of"),
    ],
)
def test_a_wrong_book_is_refused_at_its_line(right: str, wrong: str, line: int, field: str, problem: str) -> None:
    found = refusal(BOOK_TEXT.replace(right, wrong, 1))

    assert (found.line, found.path) == (line, "prices.yaml")
    assert found.field.endswith(field)
    assert problem in found.problem
    assert "deploy/prices/aws.yaml" in found.cure


@pytest.mark.parametrize("text", ["", "- 1\n", "as_of: [\n"], ids=["empty", "list", "no YAML"])
def test_what_is_no_book_at_all_is_refused_without_words_about_contracts(text: str) -> None:
    assert "apiVersion" not in str(refusal(text))


def test_a_book_without_regions_is_refused() -> None:
    assert refusal(BOOK_TEXT.split("regions:")[0] + "regions: {}\n").field == "regions"


def test_a_region_that_the_book_lacks_is_named_with_its_contract() -> None:
    contracts = {"orders": contract_with(region="us-east-11"), "sales": contract_with()}

    (found,) = unknown_regions(contracts, BOOK)

    assert str(found) == (
        'orders/contract.yaml: cost.region: the price book prices.yaml has no region "us-east-11".'
        ' Did you mean "us-east-1"?'
    )


def test_prices_of_an_unknown_region_are_refused() -> None:
    with pytest.raises(RegionUnpriced, match="mars-1"):
        BOOK.region("mars-1")
