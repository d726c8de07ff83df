"""The price book's file: the one that comes with Sluice, or the one that SLUICE_PRICES names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.cost.price_book import PriceBook, parse
from sluice.errors import PriceBookInvalid

if TYPE_CHECKING:
    from pathlib import Path


def fetch_price_book(path: Path) -> PriceBook:
    """Return the book at `path`; raises PriceBookInvalid, also when it cannot be read."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PriceBookInvalid(
            path=str(path),
            line=1,
            field="the file",
            problem=f"cannot be read ({error}).",
            cure="Name a price book in SLUICE_PRICES, or leave it unset to use the one that comes with Sluice.",
        ) from error
    return parse(text, str(path))
