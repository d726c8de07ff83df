"""The price book that comes with Sluice, and files that are none."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from pipeline_assets.cli.environment import PRICE_BOOK
from resources.price_book import fetch_price_book
from sluice.cost.price import price
from sluice.cost.rules import CostRules, Engine
from sluice.errors import PriceBookInvalid

if TYPE_CHECKING:
    from pathlib import Path


def test_the_book_that_comes_with_sluice_is_dated_and_has_the_default_region() -> None:
    book = fetch_price_book(PRICE_BOOK)

    assert book.as_of >= date(2026, 1, 1)
    assert "aws.amazon.com" in book.source
    assert CostRules().region in book.regions


def test_its_prices_are_those_of_aws() -> None:
    book = fetch_price_book(PRICE_BOOK)

    hour = price(Engine.FARGATE, 3600, 0, 0, 0, book, "us-east-1")
    assert hour == pytest.approx(2 * 0.04048 + 4 * 0.004445 + 8 * 0.000005)
    assert price(Engine.LOCAL, 3600, 1, 1, 1, book, "us-east-1") == 0


def test_the_path_is_named_when_a_region_is_unknown(tmp_path: Path) -> None:
    copy = tmp_path / "mine.yaml"
    copy.write_text(PRICE_BOOK.read_text())

    assert fetch_price_book(copy).path == str(copy)


def test_a_file_that_cannot_be_read_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(PriceBookInvalid, match=r"gone\.yaml"):
        fetch_price_book(tmp_path / "gone.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "book.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(PriceBookInvalid, match="cannot be read"):
        fetch_price_book(tmp_path / "book.yaml")
