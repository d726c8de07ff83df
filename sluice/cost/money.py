"""Dollars as people read them."""

from __future__ import annotations

_DIGITS = 3


def usd_text(usd: float) -> str:
    """Return `9.80`, `1,204.00`, `0.000123`: cents, and below a dollar three digits that count."""
    if abs(usd) >= 1 or not usd:
        return f"{usd:,.2f}"
    whole, _, fraction = f"{float(f'{usd:.{_DIGITS}g}'):.12f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"
